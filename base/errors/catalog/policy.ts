import type { CatalogPart } from "./entry.ts";

/** Policies of the fleet repo: what they found, and what is wrong with them. */
export const POLICY = {
  POLICY_DENIED: { disposition: "refused", fix: "change what the policy objects to, or have its owners change the policy first" },
  POLICY_APPROVAL_NEEDED: { disposition: "wait", fix: "the owners of the policy sign the release with `mooring approve`" },
  POLICY_WARNED: { disposition: "stalled", fix: "nothing has to be done; the policy asks you to look at it" },
  POLICY_INVALID: { disposition: "stalled", fix: "correct the expression at the place named; `mooring policy test` runs it" },
  POLICY_FAILED: {
    disposition: "refused",
    fix: "make the expression hold for every document: has() before a field that may be missing, a boolean as result, less work",
  },
  POLICY_TEST_INVALID: { disposition: "stalled", fix: "correct the test file at the place named" },
} as const satisfies CatalogPart;
