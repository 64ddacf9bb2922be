import type { CatalogPart } from "./entry.ts";

/** The link to a machine. */
export const SSH = {
  SSH_HOST_KEY_MISMATCH: { disposition: "refused", fix: "compare with `mooring machine fingerprint NAME`, then edit spec.hostKeys" },
  SSH_AUTH_REFUSED: { disposition: "stalled", fix: "enrol the machine again so that it knows the key of this hub" },
  SSH_UNREACHABLE: { disposition: "retry", fix: "check that the machine is on and its address is right" },
  SSH_HUNG: { disposition: "retry", fix: "the machine answers TCP but nothing above it; look at its load" },
} as const satisfies CatalogPart;
