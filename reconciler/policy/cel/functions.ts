import {
  type CelFunc,
  type CelInput,
  type CelValue,
  celEnv,
  celFunc,
  celList,
  celMethod,
  CelScalar,
  isCelError,
  isCelList,
  listType,
} from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { DURATION, secondsOf } from "#schemas/fleet/units.ts";
import { timeParts } from "./time-parts.ts";
import { MAX_ITEMS } from "./values.ts";

const { BYTES, DYN, INT, STRING } = CelScalar;
const LIST = listType(DYN);
const MAX_TEXT = 100_000;

/** Our own functions beside CEL's and its strings extension. `instant` takes what the schema calls an instant: a day or a time in UTC; `seconds` a
 *  duration such as `30d`. */
const OWN: readonly CelFunc[] = [
  celFunc("instant", [STRING], DYN, (text) => timestamp(text.length === 10 ? `${text}T00:00:00Z` : text)),
  celFunc("seconds", [STRING], INT, (text) => {
    if (!DURATION.test(text)) throw new Error("no duration");
    return BigInt(secondsOf(text));
  }),
];

/** What makes text or lists grow is bounded, so that no expression fills the memory before its time is over. */
const BOUNDED: readonly CelFunc[] = [
  celFunc("_+_", [STRING, STRING], STRING, (a, b) => bounded(a, b.length) + b),
  celFunc("_+_", [LIST, LIST], LIST, (a, b) => {
    if (a.size + b.size > MAX_ITEMS) throw new Error("too long");
    return celList([...a, ...b] as CelInput[]);
  }),
  // Bytes lie outside the heap that a worker is held to; policies have no use for them.
  celFunc("bytes", [STRING], BYTES, noBytes),
  celFunc("bytes", [BYTES], BYTES, noBytes),
  celFunc("_+_", [BYTES, BYTES], BYTES, noBytes),
  ...strings.filter(({ name }) => name === "replace").map((func) => boundedReplace(func)),
  ...strings.filter(({ name }) => name === "join").map((func) => boundedJoin(func)),
];

const STANDARD = celEnv();
const TIMES = timeParts(STANDARD.funcs);

/** The functions that expressions may call; `extra` is for coverage. */
export function environment(extra: readonly CelFunc[] = []) {
  return celEnv({ funcs: [...strings, ...OWN, ...BOUNDED, ...TIMES, ...extra] });
}

/** Names that may be called, for checks and hints. Operators are not among them. */
export function functionNames(): readonly string[] {
  const names = [...environment().funcs].map(({ name }) => name).filter((name) => /^[a-z]/i.test(name) && name !== "bytes");
  return [...new Set([...names, "has", "all", "exists", "exists_one", "map", "filter"])];
}

function noBytes(): never {
  throw new Error("no bytes");
}

function bounded(text: string, more: number): string {
  if (text.length + more > MAX_TEXT) throw new Error("too long");
  return text;
}

function boundedReplace(func: CelFunc): CelFunc {
  return celMethod(
    "replace",
    STRING,
    func.arguments as [typeof STRING, typeof STRING],
    STRING,
    function (this: string, ...args: CelValue[]) {
      const [what = "", by = ""] = args as [string?, string?];
      const count = what === "" ? this.length : this.split(what).length - 1;
      bounded(this, count * by.length);
      return textOf(func.call(0, this, args));
    },
  );
}

function boundedJoin(func: CelFunc): CelFunc {
  return celMethod("join", LIST, func.arguments as [typeof STRING], STRING, function (...args: CelValue[]) {
    const [by = ""] = args as [string?];
    const list = this as unknown;
    if (!isCelList(list)) throw new Error("no list");
    let length = 0;
    for (const item of list) length += by.length + (typeof item === "string" ? item.length : 0);
    bounded("", length);
    return textOf(func.call(0, list, args));
  });
}

function textOf(result: unknown): string {
  if (isCelError(result)) throw result;
  if (typeof result !== "string") throw new Error("no text");
  return result;
}

function timestamp(text: string): CelInput {
  const result = STANDARD.funcs.find("timestamp")?.call(0, undefined, [text]);
  if (result === undefined || isCelError(result)) throw new Error("no time");
  return result;
}
