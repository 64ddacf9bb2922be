import type { CatalogPart } from "./entry.ts";

/** Keys, envelopes, the vault and the audit log. */
export const SECRETS = {
  SECRET_NOT_GRANTED: { disposition: "stalled", fix: "add the plugin to a SecretGrant and open a pull request" },
} as const satisfies CatalogPart;
