import type { FleetPlan } from "#plan/index.ts";
import { placeOf, someOf } from "./content.ts";

type Group = FleetPlan["groups"][number];

const NAMES = 6;
const LINES = 4;
const SIGN = { add: "+", change: "~", repair: "~", remove: "-" } as const;

/** A group of machines and what is done to each, signs in the first column. Pure. */
export function groupLines({ machines, change, steps }: Group): readonly string[] {
  const suffix = { new: " (new)", gone: " (leaves the fleet)", changed: "" }[change];
  return [
    `@@ ${someOf(machines, NAMES)}${suffix} @@`,
    ...steps.flatMap(({ key, verb, disrupts, details, because }) => [
      `${disrupts && verb !== "remove" ? "!" : SIGN[verb]} ${key}`,
      ...details.map((line) => `      ${line}`),
      ...(because.length === 0 ? [] : [`      by ${someOf(because.map(placeOf), LINES)}`]),
    ]),
  ];
}
