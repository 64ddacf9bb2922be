export type { CommitInfo, Judged, PlanOfChange, PolicyInput, PolicySummary } from "./input.ts";
export { judgePolicies } from "./judge.ts";
