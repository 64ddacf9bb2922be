export { type Enforcer, makeEnforcer } from "./enforce.ts";
export { type Fights, makeFights } from "./fight.ts";
export { repairTree } from "./repair.ts";
export { makeTriggers, type Triggers, WATCH_TIMES, type WatchTimes } from "./triggers.ts";
