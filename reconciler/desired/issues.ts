import type { Json } from "#base/canonical/index.ts";
import type * as z from "zod";
import { type Problem, problem } from "./finding.ts";
import { nearest } from "./suggest.ts";
import { locate, type Path, shown } from "./yaml.ts";

type Issue = z.core.$ZodIssue;
type Def = {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly shape?: Record<string, z.ZodType>;
};

/** What zod found, as problems at their places in `text`, in words that hold names of fields and never a value. */
export function problemsOf(issues: readonly Issue[], schema: z.ZodType, text: string, value: Json): readonly Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, [], schema, text, value));
}

function problemsOfIssue(issue: Issue, base: Path, schema: z.ZodType, text: string, value: Json): readonly Problem[] {
  const path: Path = [...base, ...(issue.path as Path)];
  if (issue.code === "invalid_union")
    return nearestBranch(issue.errors).flatMap((inner) => problemsOfIssue(inner, path, schema, text, value));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, path, schema, text));
  if (valueAt(value, path) === undefined) return [missing(path, text)];
  const place = locate(text, path, issue.code === "invalid_key" ? "key" : "value");
  const suggestion = issue.code === "invalid_value" ? nearest(String(valueAt(value, path)), issue.values.map(String)) : null;
  return [
    problem(
      "FLEET_FIELD_INVALID",
      place,
      `${dotted(path)}: ${words(issue)}`,
      suggestion === null ? undefined : `did you mean \`${suggestion}\`?`,
    ),
  ];
}

/** The branch of a union that the writer most likely meant: one that got beyond its outermost type. */
function nearestBranch(errors: readonly (readonly Issue[])[]): readonly Issue[] {
  const isAtRoot = (issues: readonly Issue[]): boolean =>
    issues.some((issue) => issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value"));
  return errors.find((issues) => !isAtRoot(issues)) ?? errors[0] ?? [];
}

function unknownKey(key: string, path: Path, schema: z.ZodType, text: string): Problem {
  const suggestion = nearest(key, keysAt(schema, path));
  const where = path.length === 0 ? "" : ` in ${dotted(path)}`;
  const fix = suggestion === null ? undefined : `did you mean \`${suggestion}\`?`;
  return problem("FLEET_FIELD_UNKNOWN", locate(text, [...path, key], "key"), `unknown field ${shown(key)}${where}`, fix);
}

function missing(path: Path, text: string): Problem {
  return problem("FLEET_FIELD_MISSING", locate(text, path, "key"), `field ${dotted(path)} is missing`);
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
  const child = def.shape?.[String(step)] ?? def.valueType ?? def.element;
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
