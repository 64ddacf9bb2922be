import type { Words } from "./words.ts";

const ALL = "the whole field";
const check = (what: string): string => `${what}.`;

export const BASELINE: Words = {
  summary:
    "How the machine itself must be. Several may select one machine; two that set one field differently are `BASELINE_CONFLICT`. No field but `machines` is required.",
  fields: {
    machines: "Which machines.",
    runtime: ["The agent's own bundle.", ALL],
    "runtime.version": "Its version.",
    "runtime.serial": "Grows with every version; downgrades are seen by it.",
    "runtime.digest": "Digest of the bundle.",
    "runtime.node": "Digest of the Node it runs on.",
    sshd: ["Settings of sshd.", ALL],
    "sshd.passwordAuthentication": "Whether a password lets anybody in.",
    "sshd.requireSecurityKeys": "Only keys that were touched.",
    "sshd.permitRootLogin": "Whether root may log in.",
    accounts: ["Who may log in.", ALL],
    "accounts.name": "The account's short name.",
    "accounts.exclusive": "Nobody else's key is left in it.",
    "accounts.keys": "Public keys, type and base64, without a comment.",
    posture: ["What is checked on the machine.", ALL],
    "posture.fileVault": check("Disk encryption"),
    "posture.sip": check("System integrity protection"),
    "posture.gatekeeper": check("Gatekeeper"),
    "posture.firewall": check("The application firewall"),
    "posture.foreignPersistence": check("Launch agents and daemons that are not ours"),
    power: ["How it behaves when nobody is there.", ALL],
    "power.sleep": "Whether it may sleep.",
    "power.restartAfterPowerLoss": "Start again when power is back.",
    openclaw: ["OpenClaw itself; only the fields named are owned.", ALL],
    "openclaw.version": "Its version.",
    "openclaw.digest": "Digest of its bundle.",
    "openclaw.config": "Members of its configuration that we own.",
    onViolation: ["`warn`, or `withhold-secrets` while a required check is violated.", ALL],
  },
};
