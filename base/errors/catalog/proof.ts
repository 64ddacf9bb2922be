import type { CatalogPart } from "./entry.ts";

/** Releases, signatures and roots. */
export const PROOF = {
  RELEASE_UNPROVEN: { disposition: "refused", fix: "see `mooring status`: which role still has to sign" },
  RELEASE_MALFORMED: { disposition: "refused", fix: "make the release again with `mooring release`" },
  RELEASE_EXPIRED: { disposition: "stalled", fix: "sign a new release: `mooring release --renew --source URL --key FILE --as NAME`" },
  SERIAL_OLD: {
    disposition: "refused",
    fix: "push back to mooring/releases what is missing there, or sign a newer release: `mooring release --renew --source URL --key FILE --as NAME`",
  },
  SERIAL_JUMP: {
    disposition: "stalled",
    fix: "look who signed that release; a machine that has taken such a serial is enrolled again: `openclaw-lobster init --pins FILE` there, with the next incarnation",
  },
  SINCE_BACKWARD: {
    disposition: "refused",
    fix: "make a new release on top of the newest one: `mooring release --renew --source URL --key FILE --as NAME`",
  },
  TRUST_BROKEN: {
    disposition: "refused",
    fix: "push back to mooring/releases the trust releases between what the machine accepted and this one; where they are lost, enrol it again: `openclaw-lobster init --pins FILE` there",
  },
  TRUST_MALFORMED: { disposition: "refused", fix: "correct spec.trust or trust/allowed_signers and make the release again" },
  ROOT_MISMATCH: { disposition: "refused", fix: "resolve the revision again with the same resolver form" },
  DESIRED_MALFORMED: { disposition: "refused", fix: "resolve the revision again; hub and machine must speak the same form" },
  SECRETS_UNPROVEN: {
    disposition: "refused",
    fix: "somebody with role secrets signs: `mooring release --source URL --key FILE --as NAME`",
  },
  SECTION_INVALID: { disposition: "refused", fix: "rename the object: lower case, digits and . _ @ : / - only" },
  TREE_INVALID: { disposition: "refused", fix: "pack the files again; every path may appear once" },
  STATEMENT_MALFORMED: { disposition: "refused", fix: "make the statement again with the mooring command" },
  STATEMENT_UNPROVEN: { disposition: "refused", fix: "a principal named for this action in spec.trust.actions must sign" },
  STATEMENT_EXPIRED: { disposition: "refused", fix: "sign a new statement" },
  ATTEST_UNPROVEN: {
    disposition: "stalled",
    fix: "the machine answers with another key than the released one: look at it, then enrol it again",
  },
  RESOLVER_UNKNOWN: { disposition: "stalled", fix: "use a version of mooring that resolves this form, or name one with --resolver" },
  RELEASE_AGEING: { disposition: "wait", fix: "people with role release run `mooring release --renew`" },
  SSHSIG_MALFORMED: { disposition: "refused", fix: "sign again with `ssh-keygen -Y sign`" },
  SSH_KEY_MALFORMED: { disposition: "refused", fix: "copy the line of the .pub file: type and base64" },
  ALLOWED_SIGNERS_INVALID: { disposition: "stalled", fix: "correct trust/allowed_signers at the line named" },
  GIT_OBJECT_MALFORMED: { disposition: "refused", fix: "run `git fsck` where the commit was made and commit again" },
  NOTE_MALFORMED: { disposition: "refused", fix: "compare the log's origin and keys; the bytes are no C2SP note" },
  NOTE_UNVERIFIED: { disposition: "refused", fix: "compare the key of the log or witness with the one pinned" },
  TLOG_MALFORMED: { disposition: "refused", fix: "read the log again; its files are not C2SP tlog-tiles" },
} as const satisfies CatalogPart;
