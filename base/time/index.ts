export { backoffMs } from "./backoff.ts";
export { sleep, withDeadline } from "./deadline.ts";
export { asTime, type Clock, isTime, msOf, type Time, timeOf } from "./time.ts";
