export { accessEffects, type AccessEffect, type AccessPart, type AccessSide, type AccessWords } from "./access.ts";
export { accessWords, detailsOf } from "./details.ts";
export { type Desired, type Index, type Live, planMachine } from "./diff.ts";
export {
  type FleetOutcome,
  type FleetPlan,
  type Group,
  type GroupStep,
  type HubView,
  planFleet,
  ROLE_OF,
  ROLE_ORDER,
  type RoleName,
  uniqueLines,
  type Widening,
} from "./fleet.ts";
export { type SourceLine, sourceText } from "./source-line.ts";
export { countSteps, planJson, planText } from "./text.ts";
