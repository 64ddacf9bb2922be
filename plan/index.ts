export { accessWords, detailsOf } from "./details.ts";
export { type Desired, type Index, type Live, planMachine } from "./diff.ts";
export { explain, type Explained } from "./explain.ts";
export {
  type FleetOutcome,
  type FleetPlan,
  type Group,
  type GroupStep,
  type HubView,
  planFleet,
  type RoleName,
  type Widening,
} from "./fleet.ts";
export type { SourceLine } from "./source-line.ts";
export { countSteps, planJson, planText } from "./text.ts";
