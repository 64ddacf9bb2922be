import type { CatalogPart } from "./entry.ts";

/** The command line. */
export const CLI = {
  USAGE: { disposition: "stalled", fix: "see --help" },
} as const satisfies CatalogPart;
