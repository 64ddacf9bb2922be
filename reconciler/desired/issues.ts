import type { Json } from "#base/canonical/index.ts";
import type * as z from "zod";
import { type Problem, problem } from "./finding.ts";
import { nearest } from "./suggest.ts";
import { type Locate, type Path, shown } from "./yaml.ts";

type Issue = z.core.$ZodIssue;
type Def = {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly shape?: Record<string, z.ZodType>;
};

/** What zod found, as problems at their places, in words that hold names of fields and never a value. */
export function problemsOf(issues: readonly Issue[], source: Source): readonly Problem[] {
  const found = together(withoutMisspelt(flattened(issues, []), source), source.value);
  const problems = found.slice(0, MAX_PROBLEMS).map(({ issue, path, key, count, beside }) => {
    const item = key === null ? ofIssue(issue, path, beside, source) : unknownKey(key, path, source);
    return {
      ...item,
      message: count > 1 ? `${item.message} (and ${count - 1} more beside it)` : item.message,
      subject: pointerOf(key === null ? path : [...path, key]),
    };
  });
  const more = found.length - problems.length;
  const last = problems.at(-1);
  if (more > 0 && last !== undefined)
    problems[problems.length - 1] = { ...last, message: `${last.message} (and ${more} more in this file)` };
  return problems;
}

const MAX_PROBLEMS = 20; // of one file: nobody reads on, and places and suggestions cost time

/** What was checked, by which schema, and where things stand in it. */
export type Source = { readonly schema: z.ZodType; readonly value: Json; readonly locate: Locate };
type Found = {
  readonly issue: Issue;
  readonly path: Path;
  readonly key: string | null;
  readonly count: number;
  readonly beside: readonly Path[];
};

/** Without the fields that are missing only because they stand there misspelt: one mistake is one finding, at the line to correct. */
function withoutMisspelt(found: readonly Found[], source: Source): readonly Found[] {
  if (!found.some((item) => isMissing(item, source.value))) return found;
  const named = found.filter(({ key }) => key !== null).slice(0, MAX_PROBLEMS);
  const meant = new Set(
    named.flatMap(({ key, path }) => {
      const name = nearest(key ?? "", keysAt(source.schema, path));
      return name === null ? [] : [pointerOf([...path, name])];
    }),
  );
  return found.filter((item) => !isMissing(item, source.value) || !meant.has(pointerOf(item.path)));
}

function isMissing({ key, issue, path }: Found, value: Json): boolean {
  return key === null && issue.code !== "invalid_key" && valueAt(value, path) === undefined;
}

/** Members that are missing from one map are one finding: they have one place, and are added in one go. */
function together(found: readonly Found[], value: Json): readonly Found[] {
  const groups = new Map<string, Found>();
  for (const item of found) {
    const group = isMissing(item, value) ? pointerOf(item.path.slice(0, -1)) : `${groups.size}`;
    const first = groups.get(group);
    groups.set(group, first === undefined ? item : { ...first, beside: [...first.beside, item.path] });
  }
  return [...groups.values()];
}

/** One entry for each thing wrong: of a union the branch that was meant, of unknown keys each. */
function flattened(issues: readonly Issue[], base: Path): readonly Found[] {
  return issues.flatMap((issue): readonly Found[] => {
    const path: Path = [...base, ...(issue.path as Path)];
    if (issue.code === "invalid_union") return flattened(nearestBranch(issue.errors), path);
    if (issue.code !== "unrecognized_keys") return [{ issue, path, key: null, count: 1, beside: [] }];
    if (issue.keys.length > MAX_PROBLEMS) return [{ issue, path, key: issue.keys[0]!, count: issue.keys.length, beside: [] }]; // one mistake: the wrong place
    return issue.keys.map((key) => ({ issue, path, key, count: 1, beside: [] }));
  });
}

/** JSON Pointer (RFC 6901). */
export function pointerOf(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function ofIssue(issue: Issue, path: Path, beside: readonly Path[], { value, locate }: Source): Problem {
  const found = valueAt(value, path);
  if (found === undefined) {
    const names = [path, ...beside].map(dotted).join(", ");
    const [message, fix] = beside.length === 0 ? [`field ${names} is missing`] : [`fields ${names} are missing`, "add the fields"];
    return problem("FLEET_FIELD_MISSING", locate(path, "key"), message, fix);
  }
  const place = locate(path, issue.code === "invalid_key" ? "key" : "value");
  return problem("FLEET_FIELD_INVALID", place, `${dotted(path)}: ${words(issue)}`, fixOf(issue, found));
}

/** How to write it, where the mistake is a common one. Never quotes the value itself. */
function fixOf(issue: Issue, found: unknown): string | undefined {
  if (issue.code === "invalid_value") {
    const suggestion = nearest(String(found), issue.values.map(String));
    return suggestion === null ? undefined : `did you mean \`${suggestion}\`?`;
  }
  if (issue.code !== "invalid_type") return undefined;
  if (issue.expected === "boolean" && typeof found === "string" && /^(yes|no|on|off|y|n|true|false)$/i.test(found))
    return /^(yes|on|y|true)$/i.test(found) ? "write true, without quotes" : "write false, without quotes";
  if (issue.expected === "string" && (found === null || typeof found === "number" || typeof found === "boolean"))
    return found === null ? "write a value after the colon" : "quote this value";
  if (issue.expected === "int" || issue.expected === "number") return "write a whole number, without quotes";
  if (issue.expected === "array") return "write a list: [a, b], or one `- item` a line";
  return undefined;
}

/** The branch of a union that the writer most likely meant: one that got beyond its outermost type. */
function nearestBranch(errors: readonly (readonly Issue[])[]): readonly Issue[] {
  const isAtRoot = (issues: readonly Issue[]): boolean =>
    issues.some((issue) => issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value"));
  return errors.find((issues) => !isAtRoot(issues)) ?? errors[0] ?? [];
}

function unknownKey(key: string, path: Path, { schema, locate }: Source): Problem {
  const suggestion = nearest(key, keysAt(schema, path));
  const where = path.length === 0 ? "" : ` in ${dotted(path)}`;
  const fix = suggestion === null ? undefined : `did you mean \`${suggestion}\`?`;
  return problem("FLEET_FIELD_UNKNOWN", locate([...path, key], "key"), `unknown field ${shown(key)}${where}`, fix);
}

function words(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected}`;
    case "invalid_value":
      return issue.values.length === 1 ? `expected ${String(issue.values[0])}` : `expected one of ${issue.values.map(String).join(", ")}`;
    case "invalid_format":
      return issue.message;
    case "too_small":
      return issue.origin === "array"
        ? `at least ${issue.minimum} item`
        : issue.origin === "string"
          ? "empty text"
          : `at least ${issue.minimum}`;
    case "too_big":
      return `at most ${issue.maximum}`;
    case "custom":
      return issue.message;
    case "invalid_key":
      return issue.issues[0]?.message ?? "a name of another form";
    case "not_multiple_of":
    case "invalid_union":
    case "invalid_element":
    case "unrecognized_keys":
      return "a value of another form";
    default:
      return issue satisfies never;
  }
}

/** The field names that are valid at `path` of a schema; of a union those of all branches. */
export function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  let here = expand(schema);
  for (const step of path) here = here.flatMap((def) => childOf(def, step));
  return here.flatMap((def) => Object.keys(def.shape ?? {}));
}

function childOf(def: Def, step: string | number): readonly Def[] {
  const own = def.shape !== undefined && Object.hasOwn(def.shape, step) ? def.shape[String(step)] : undefined;
  const child = own ?? def.valueType ?? def.element;
  return child === undefined ? [] : expand(child);
}

function expand(schema: z.ZodType): readonly Def[] {
  const def = schema._zod.def as unknown as Def;
  if (def.options !== undefined) return def.options.flatMap(expand);
  return def.innerType === undefined ? [def] : expand(def.innerType);
}

function valueAt(value: Json, path: Path): unknown {
  let here: unknown = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

function dotted(path: Path): string {
  if (path.length === 0) return "the document";
  return path.map((step, i) => (typeof step === "number" ? `[${step}]` : `${i === 0 ? "" : "."}${shown(step)}`)).join("");
}
