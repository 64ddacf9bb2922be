import type { CatalogPart } from "./entry.ts";

/** The git source and the releases branch. */
export const SOURCE = {
  SOURCE_UNREACHABLE: { disposition: "retry", fix: "check the URL, the network and the credentials of the source" },
} as const satisfies CatalogPart;
