export { approve } from "./approve.ts";
export { plan, type PlanOptions } from "./plan.ts";
export type { Distrust } from "./distrust.ts";
export { release } from "./release.ts";
export type { SignOptions } from "./sign.ts";
export { withdraw } from "./withdraw.ts";
