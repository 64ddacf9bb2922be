import type { CatalogPart } from "./entry.ts";

/** Reviews in CI, and the forge that shows them. */
export const CI = {
  CI_EVENT_REFUSED: {
    disposition: "refused",
    fix: "start it on pull_request, merge_group or push, as examples/ci shows; never on pull_request_target, which lends a stranger's branch the repository's rights",
  },
  CI_MISCONFIGURED: { disposition: "stalled", fix: "run it as examples/ci shows; docs/ci.md says which variables it reads" },
  FORGE_UNREACHABLE: { disposition: "retry", fix: "run the job again; the plan itself is in the step summary and the artifact" },
  FORGE_REFUSED: { disposition: "stalled", fix: "give the job's token `statuses: write` and `pull-requests: write`" },
} as const satisfies CatalogPart;
