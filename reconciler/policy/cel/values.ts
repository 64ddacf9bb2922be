import { type CelInput, celList, celMap } from "@bufbuild/cel";
import type { Json } from "#base/canonical/index.ts";

/** A list that is longer cannot be judged. */
export const MAX_ITEMS = 10_000;

/** A list of a document is too long to be judged. */
export class TooLong extends Error {
  constructor() {
    super(`a list has more than ${MAX_ITEMS} items`);
  }
}

/** JSON as CEL takes it: whole numbers are ints (the schemas have no other numbers; a free field's 0.5 is a double), dates stay strings, maps are maps
 *  whatever their keys are called. Throws TooLong. */
export function toCel(value: Json): CelInput {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    if (value.length > MAX_ITEMS) throw new TooLong();
    return celList(value.map((item: Json) => toCel(item)));
  }
  const entries = Object.entries(value as Readonly<Record<string, Json>>);
  if (entries.length > MAX_ITEMS) throw new TooLong();
  return celMap(new Map(entries.map(([key, item]) => [key, toCel(item)])));
}
