import type { CatalogPart } from "./entry.ts";

/** The agent on a machine. */
export const AGENT = {
  EPOCH_STALE: { disposition: "refused", fix: "another hub owns this machine now; stop this one" },
  EPOCH_JUMP: { disposition: "stalled", fix: "an operator signs a `reset` for this machine" },
  LIVE_MOVED: { disposition: "retry", fix: "read the live state again and plan anew" },
  GENERATION_MOVED: { disposition: "retry", fix: "read the live state again and plan anew" },
} as const satisfies CatalogPart;
