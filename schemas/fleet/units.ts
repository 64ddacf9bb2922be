import type { Time } from "#base/time/index.ts";
import { timeOf } from "#base/time/index.ts";

export const DURATION = /^[1-9]\d{0,6}(s|m|h|d)$|^0s$/;
export const SIZE = /^[1-9]\d{0,9}(Ki|Mi|Gi|Ti)?$/;
export const PERCENT = /^(100|[1-9]?\d)%$/;

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const BYTES = { "": 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 } as const;

/** Seconds of a duration that the schema has accepted, such as `10m`. */
export function secondsOf(duration: string): number {
  return Number(duration.slice(0, -1)) * SECONDS[duration.at(-1) as keyof typeof SECONDS];
}

/** Bytes of a size that the schema has accepted, such as `512Mi`. */
export function bytesOf(size: string): number {
  const unit = /[A-Z]i$/.exec(size)?.[0] ?? "";
  return Number(size.slice(0, size.length - unit.length)) * BYTES[unit as keyof typeof BYTES];
}

/** The one Time form of an instant that the schema has accepted; a day means its first instant in UTC. */
export function instantOf(text: string): Time {
  return timeOf(Date.parse(text));
}
