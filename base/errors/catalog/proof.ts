import type { CatalogPart } from "./entry.ts";

/** Releases, signatures and roots. */
export const PROOF = {
  RELEASE_UNPROVEN: { disposition: "refused", fix: "see `mooring status`: which role still has to sign" },
  RELEASE_MALFORMED: { disposition: "refused", fix: "make the release again with `mooring release`" },
  RELEASE_EXPIRED: { disposition: "stalled", fix: "sign a new release: `mooring release`" },
  SERIAL_OLD: { disposition: "refused", fix: "send the newest release" },
  SERIAL_JUMP: { disposition: "stalled", fix: "an operator signs a `reset` for this machine" },
  TRUST_BROKEN: { disposition: "refused", fix: "send the trust releases between the accepted trust and this one" },
  ROOT_MISMATCH: { disposition: "refused", fix: "resolve the revision again with the same resolver form" },
  SSHSIG_MALFORMED: { disposition: "refused", fix: "sign again with `ssh-keygen -Y sign`" },
} as const satisfies CatalogPart;
