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
  ENVELOPE_REFUSED: { disposition: "refused", fix: "have the hub seal it again; if it comes back, compare trust.vaultKeys with the vault's own key" },
  LEASE_REFUSED: { disposition: "refused", fix: "have the hub fetch a new lease; if it comes back, compare trust.vaultKeys with the vault's own key" },
  DEVICE_LOCKED: { disposition: "wait", fix: "unlock the machine's disk (log in once after the restart)" },
  KEY_GONE: { disposition: "stalled", fix: "enrol the machine anew: its key is no longer there" },
  USER_PRESENCE_REQUIRED: { disposition: "stalled", fix: "make the key without user presence: nobody sits at this machine" },
  KEY_UNAVAILABLE: { disposition: "retry", fix: "look at the permissions and the health of the key store named" },
  POLICY_DENIED: { disposition: "refused", fix: "use a hardware driver, or opt in with allowSoftwareKeys in the fleet and the machine's pins" },
} as const satisfies CatalogPart;
