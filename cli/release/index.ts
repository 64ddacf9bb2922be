export { approve } from "./approve.ts";
export { plan, type PlanOptions } from "./plan.ts";
export { release } from "./release.ts";
export type { SignOptions } from "./sign.ts";
