import type { CatalogPart } from "./entry.ts";

/** Keys, envelopes, the vault and the audit log. */
export const SECRETS = {
  SECRET_NOT_GRANTED: { disposition: "stalled", fix: "add the plugin to a SecretGrant and open a pull request" },
  AUDIT_UNAVAILABLE: { disposition: "retry", fix: "free disk space or make the log folder writable; until then no secret is handed out" },
  AUDIT_CORRUPT: { disposition: "stalled", fix: "keep the folder for inquiry, compare it with the hub's last checkpoint, then enrol the machine anew" },
  AUDIT_TRUNCATED: { disposition: "stalled", fix: "the log lost entries that were seen before: find out who put an older copy back" },
  AUDIT_FORKED: { disposition: "stalled", fix: "the log shows another past than before: treat the machine as compromised" },
  POINT_INVALID: { disposition: "refused", fix: "ask the machine for its public key again: `openclaw-lobster status`" },
  RECIPIENT_MALFORMED: { disposition: "refused", fix: "copy the whole key text again, `age1…` or `age1tag1…`" },
  SEAL_UNOPENED: { disposition: "refused", fix: "seal it again to the key this machine has now" },
} as const satisfies CatalogPart;
