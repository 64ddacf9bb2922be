import { MooringError } from "#base/errors/index.ts";

/** An instant as text: UTC, milliseconds, `Z`. One form only, so that text order is time order. */
export type Time = string & { readonly [time]: "Time" };
declare const time: unique symbol;

/** Where the present comes from; tests pass their own. Milliseconds since 1970. */
export type Clock = () => number;

export function timeOf(ms: number): Time {
  return new Date(ms).toISOString() as Time;
}

/** `text` as a Time; throws TIME_MALFORMED naming `where` for any other spelling of an instant. */
export function asTime(text: unknown, where: string): Time {
  if (typeof text === "string" && isTime(text)) return text;
  throw new MooringError("TIME_MALFORMED", `${where}: not a time`, { why: "times are UTC with milliseconds and Z" });
}

export function isTime(text: string): text is Time {
  const ms = Date.parse(text);
  return /^\d{4}-/.test(text) && !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}

export function msOf(at: Time): number {
  return Date.parse(at);
}
