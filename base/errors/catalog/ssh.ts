import type { CatalogPart } from "./entry.ts";

/** The link to a machine. */
export const SSH = {
  SSH_HOST_KEY_MISMATCH: {
    disposition: "refused",
    fix: "compare with the key on the machine itself (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then edit spec.hostKeys",
  },
  SSH_HOST_KEY_MALFORMED: { disposition: "stalled", fix: "write spec.hostKeys as type and base64, as in ssh_host_ed25519_key.pub" },
  SSH_AUTH_REFUSED: { disposition: "stalled", fix: "enrol the machine again so that it knows the key of this hub" },
  SSH_KEY_UNREADABLE: { disposition: "stalled", fix: "give the hub an unencrypted ed25519 key with --ssh-key" },
  SSH_UNREACHABLE: { disposition: "retry", fix: "check that the machine is on and its address is right" },
  SSH_HUNG: { disposition: "retry", fix: "the machine answers TCP but nothing above it; look at its load" },
  SSH_CHANNEL_REFUSED: { disposition: "retry", fix: "see MaxSessions of the machine's sshd and the agent's own log" },
  AGENT_ANSWER_MALFORMED: { disposition: "retry", fix: "compare the versions of hub and agent" },
  AGENT_REFUSED: { disposition: "refused", fix: "see the machine's own status and log" },
} as const satisfies CatalogPart;
