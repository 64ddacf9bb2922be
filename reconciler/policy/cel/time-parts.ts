import { type CelFunc, celMethod, CelScalar } from "@bufbuild/cel";

const { INT } = CelScalar;

/** What each accessor reads of a time that was moved to its zone. */
const PARTS: Readonly<Record<string, (local: Date) => number>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) => Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

/** The accessors of timestamps, done anew: the library's own go through the zone of the computer they run on and are an hour off where that skips one,
 *  so a hub and a laptop could disagree. `standard` = the functions they take the place of. */
export function timeParts(standard: Iterable<CelFunc>): readonly CelFunc[] {
  return [...standard].flatMap((func) => {
    const part = PARTS[func.name];
    if (part === undefined || func.target?.name !== "google.protobuf.Timestamp") return [];
    return celMethod(func.name, func.target, func.arguments as [], INT, function (this: unknown, ...args: readonly unknown[]) {
      const { message } = this as { readonly message: { readonly seconds: bigint; readonly nanos: number } };
      const ms = Number(message.seconds) * 1000 + Math.floor(message.nanos / 1_000_000);
      return BigInt(part(new Date(typeof args[0] === "string" ? localMs(ms, args[0]) : ms)));
    });
  });
}

/** A time as if it were UTC in `zone`: `+05:30` or an IANA name. */
function localMs(ms: number, zone: string): number {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) return ms + (fixed[1] === "-" ? -60_000 : 60_000) * (Number(fixed[2]) * 60 + Number(fixed[3]));
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second, ((ms % 1000) + 1000) % 1000);
}
