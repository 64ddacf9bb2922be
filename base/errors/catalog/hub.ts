import type { CatalogPart } from "./entry.ts";

/** The main loop of the hub and its API. */
export const HUB = {
  VAULT_NOT_ISOLATED: { disposition: "stalled", fix: "run the vault under its own uid, or pass --insecure-one-uid and accept that the hub can read its memory" },
} as const satisfies CatalogPart;
