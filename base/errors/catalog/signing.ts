import type { CatalogPart } from "./entry.ts";

/** Roles that are signed by a workflow or by the hub. */
export const SIGNING = {
  TRUSTED_ROOT_MALFORMED: { disposition: "stalled", fix: "take trusted_root.json of the sigstore instance anew and have it reviewed" },
  WORKFLOW_IDENTITY_OTHER: {
    disposition: "refused",
    fix: "let the workflow sign that spec.trust.roles names, on its branch; a repository that was renamed or moved needs a new trust release",
  },
  WORKFLOW_SIGNATURE_INVALID: {
    disposition: "refused",
    fix: "run the workflow again: its signature, certificate, log entry or time does not hold",
  },
  ROLE_REFUSED: { disposition: "refused", fix: "give the role to people, or complete what by: ci and by: hub need (docs/spec/fleet.md)" },
  COMMIT_KEYS_INVALID: {
    disposition: "stalled",
    fix: "write spec.trust.commits.openpgpKeys as armored public keys: `gpg --armor --export`",
  },
  SOURCE_SIGNER_GONE: {
    disposition: "stalled",
    fix: "look at what it changed with `git show`; then a commit on top of it by a current key settles it: `git commit --allow-empty -S`",
  },
  HUB_KEY_UNUSABLE: {
    disposition: "stalled",
    fix: "restore the hub's key file, or make another with `mooring hub-key` and have root sign it",
  },
} as const satisfies CatalogPart;
