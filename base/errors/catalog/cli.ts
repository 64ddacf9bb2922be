import type { CatalogPart } from "./entry.ts";

/** The command line. */
export const CLI = {
  USAGE: { disposition: "stalled", fix: "see --help" },
  CONFIRMATION_NEEDED: { disposition: "stalled", fix: "read the plan, then run it again with --yes" },
  CACHE_BROKEN: { disposition: "stalled", fix: "move the folder away and name --trust-root again" },
  CACHE_BUSY: { disposition: "retry", fix: "wait for the other mooring command; when no such process runs, remove the file" },
  CACHE_UNNAMED: { disposition: "stalled", fix: "name a folder with --cache, or set HOME or XDG_CACHE_HOME" },
  TRUST_ROOT_UNPROVEN: {
    disposition: "refused",
    fix: "compare --trust-root with what the fleet's people say; `mooring trust-root` prints the leaf of a checkout you have read",
  },
  SIGNER_UNKNOWN: { disposition: "refused", fix: "name yourself as trust/allowed_signers does, with --as" },
  SIGNER_STILL_TRUSTED: { disposition: "stalled", fix: "change trust/allowed_signers as it says, merge it, then run it again" },
  WITHDRAW_UNKNOWN: { disposition: "stalled", fix: "name what was approved, or release/<serial>-<digest8> as mooring/releases has it" },
  WITHDRAW_TOO_LATE: { disposition: "refused", fix: "revert the change on main, then `mooring release`" },
  SIGNER_KEY_MISMATCH: { disposition: "refused", fix: "pass the key of this principal with --key, or correct --as" },
  SIGNER_KEY_UNREADABLE: { disposition: "stalled", fix: "name an OpenSSH private key, or the .pub file of a key that ssh-agent holds" },
  SIGNING_FAILED: {
    disposition: "stalled",
    fix: "check that ssh-keygen is installed and may use the key: mode 0600, passphrase, `ssh-add -l`",
  },
  MERGE_CONFLICT: { disposition: "stalled", fix: "merge main into the branch, resolve it there and approve again" },
  HUB_ANSWER_MALFORMED: { disposition: "refused", fix: "compare the versions of CLI and hub" },
} as const satisfies CatalogPart;
