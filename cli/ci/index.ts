export { ciPlan, type CiPlanOptions } from "./plan.ts";
export { ciPost, type CiPostOptions } from "./post.ts";
