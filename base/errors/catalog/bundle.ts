import type { CatalogPart } from "./entry.ts";

/** Plugin bundles and their signatures. */
export const BUNDLE = {
  BUNDLE_MALFORMED: { disposition: "refused", fix: "pack the plugin again with `mooring plugin pack`" },
} as const satisfies CatalogPart;
