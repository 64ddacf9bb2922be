import { msOf, type Time } from "#base/time/index.ts";
import type { ReleaseDoc } from "./documents.ts";

const ALARM = 0.75; // of its lifetime: with 90 days, three weeks to find the people who sign

/** How far a release, or a secrets release, is through its lifetime. `ageing` from three quarters on: time to renew it; `expired`: nothing new is applied from it. Pure. */
export function lifetimeOf({ issued, expires }: Pick<ReleaseDoc, "issued" | "expires">, now: Time): "fresh" | "ageing" | "expired" {
  if (now >= expires) return "expired";
  return msOf(now) >= msOf(issued) + ALARM * (msOf(expires) - msOf(issued)) ? "ageing" : "fresh";
}
