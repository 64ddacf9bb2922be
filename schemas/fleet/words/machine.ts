import type { Words } from "./words.ts";

export const MACHINE: Words = {
  summary: "One machine, how to reach it, and its keys. The file's name is the machine's; `metadata.labels` are what selectors select.",
  fields: {
    connect: "How the hub reaches it.",
    "connect.addresses": "Host names or addresses, tried in order.",
    "connect.port": "Port of its sshd.",
    "connect.via": ["`openssh` uses the ssh program: jump hosts, certificates.", "`openssh`"],
    hostKeys: "Pinned keys of its sshd, as in known_hosts; a machine with another key is not talked to.",
    incarnation: "Grows when the machine is set up anew: its log and its keys start again.",
    enclave: "Its device keys, as `openclaw-lobster init` printed them. No two machines share a key.",
    "enclave.driver": ["Where the keys live.", "drivers other than `software`"],
    "enclave.kx": "Its recipient: secrets are sealed to it.",
    "enclave.sig": "Its signing key: it signs audit checkpoints.",
    "enclave.proof": "What binds the two together.",
    mode: "`observe` reports only; `manage` corrects.",
    availability: ["`intermittent` machines raise an alarm only after `offlineAfter`.", "`intermittent`"],
    offlineAfter: ["When an intermittent machine counts as gone.", "other than `24h`"],
  },
};
