import type { CatalogPart } from "./entry.ts";

/** The fleet repo: its files, kinds and rules. */
export const FLEET = {
  FLEET_INVALID: { disposition: "stalled", fix: "correct the file at the place named and commit" },
} as const satisfies CatalogPart;
