export { commitInfo } from "./commit.ts";
export { type Evaluated, type Limits, LIMITS, openEngine, type PolicyEngine } from "./engine.ts";
export { oneLine } from "./findings.ts";
export type { CommitInfo, Judged, PlanOfChange, PolicyInput, PolicySummary } from "./input.ts";
export { judgePolicies } from "./judge.ts";
export { checkPolicies, mistakes, type Policy, programOf } from "./policies.ts";
export { type Branch, type Deck, type FieldPath, type Program, type Shared, type Subject, type Verdict, withSeen } from "./program.ts";
