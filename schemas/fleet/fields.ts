import type * as z from "zod";
import * as common from "./common.ts";
import { type Kind, KINDS } from "./index.ts";
import { ENVELOPE, WORDS } from "./words/index.ts";

/** One field of a kind, as people are told of it. */
export type Field = {
  readonly name: string;
  /** Names from the document's root; `*` for any key of a map. Lists add nothing. */
  readonly path: readonly string[];
  /** "text", "duration", "list of principals" … */
  readonly type: string;
  readonly isRequired: boolean;
  /** As it is written in YAML; null = none, or the members have their own. */
  readonly preset: string | null;
  readonly values: readonly string[];
  readonly text: string;
  /** What of it this version refuses; null = nothing. */
  readonly notYet: string | null;
  readonly children: readonly Field[];
};

type Def = {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly defaultValue?: unknown;
};

/** Forms with a name of their own, explained once (docs/spec/README.md). */
const NAMED: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [common.digest, "digest"],
  [common.duration, "duration"],
  [common.size, "size"],
  [common.percentOrCount, "number or share"],
  [common.version, "version"],
  [common.secretRef, "secret reference"],
  [common.principal, "principal"],
  [common.instant, "time"],
  [common.repoPath, "path in the repo"],
  [common.httpsUrl, "https address"],
  [common.cron, "five cron fields"],
  [common.zone, "time zone"],
  [common.freeForm, "map"],
  [common.labels, "map of labels"],
  [common.selector, "selector"],
  [common.name, "name"],
]);

/** How values of a named type are written. */
export const FORMS: Readonly<Record<string, string>> = {
  digest: "sha256: and 64 lower-case hex digits",
  duration: "a number and s, m, h or d: 10m, 48h, 90d",
  size: "a number of bytes, or with Ki, Mi, Gi, Ti: 512Mi",
  "number or share": "a whole number, or a share: 10%",
  version: "three numbers: 1.4.2",
  "secret reference": "secret://team/name",
  principal: "like a@acme.dev",
  time: "a day, which means its first instant in UTC, or an instant in UTC: 2027-01-01, 2027-01-01T09:00:00Z",
  "path in the repo": "without . or ..: trust/keys/release.pub",
  "https address": "https://, without user and password",
  "five cron fields": "minute, hour, day, month, weekday, without L, W and #: 0 3 * * 1",
  "time zone": "an IANA name: Europe/Berlin",
  "map of labels": "names and values of letters, digits and . _ / -: { role: mail, site: fra }",
  selector: "all, or labels that must all be there: { labels: { role: mail } }",
  name: "lower-case letters, digits, dots and dashes, at most 63",
};

/** The fields of a kind, envelope first. Pure. */
export function fieldsOf(kind: Kind): readonly Field[] {
  return children(KINDS[kind], kind, []);
}

function children(schema: z.ZodType, kind: Kind, path: readonly string[]): readonly Field[] {
  const { schema: inner } = unwrapped(schema);
  const def = defOf(inner);
  if (def.element !== undefined) return children(def.element, kind, path);
  if (def.shape !== undefined) return Object.entries(def.shape).map(([name, child]) => fieldOf(name, child, kind, [...path, name]));
  if (inner === common.selector) return [LABELS(path)];
  if (def.valueType !== undefined && !NAMED.has(inner)) return children(def.valueType, kind, [...path, "*"]);
  return [];
}

const LABELS = (path: readonly string[]): Field => ({
  name: "labels",
  path: [...path, "labels"],
  type: "map of labels",
  isRequired: false,
  preset: null,
  values: [],
  text: "Labels that must all be there; or write `all` instead of a map.",
  notYet: null,
  children: [],
});

function fieldOf(name: string, schema: z.ZodType, kind: Kind, path: readonly string[]): Field {
  const { schema: inner, isRequired, preset } = unwrapped(schema);
  const [text, notYet] = wordsOf(kind, path);
  const own = children(inner, kind, path);
  const values = valuesOf(inner);
  return {
    name,
    path,
    type: typeOf(inner),
    isRequired,
    preset: preset === undefined || (own.length > 0 && !Array.isArray(preset) && typeof preset === "object") ? null : yamlOf(preset),
    values,
    text,
    notYet,
    children: own,
  };
}

function wordsOf(kind: Kind, path: readonly string[]): readonly [text: string, notYet: string | null] {
  const key = path.join(".");
  if (path[0] !== "spec" || path.length === 1) return [ENVELOPE[key] ?? "", null];
  const found = WORDS[kind].fields[path.slice(1).join(".")];
  if (found === undefined) return ["", null];
  return typeof found === "string" ? [found, null] : found;
}

function unwrapped(schema: z.ZodType): { readonly schema: z.ZodType; readonly isRequired: boolean; readonly preset: unknown } {
  let here = schema;
  let isRequired = true;
  let preset: unknown;
  for (let def = defOf(here); def.innerType !== undefined; def = defOf(here)) {
    if (def.type === "default" || def.type === "prefault") preset = def.defaultValue;
    if (def.type !== "readonly") isRequired = false;
    here = def.innerType;
  }
  return { schema: here, isRequired, preset };
}

function typeOf(schema: z.ZodType): string {
  const named = NAMED.get(schema);
  if (named !== undefined) return named;
  const def = defOf(schema);
  if (def.element !== undefined) return `list of ${plural(typeOf(unwrapped(def.element).schema))}`;
  if (def.shape !== undefined) return "map";
  if (def.valueType !== undefined) return "map";
  if (def.values?.every((value) => typeof value === "boolean") === true) return def.values.map(String).join(" or ");
  if (def.entries !== undefined || def.values !== undefined) return "word";
  if (def.type === "boolean") return "true or false";
  return def.type === "number" || def.type === "int" ? "whole number" : "text";
}

function plural(type: string): string {
  if (type === "text") return "texts";
  return type === "time" || !type.includes(" ") || /(reference|address)$/.test(type) ? `${type}${type.endsWith("s") ? "es" : "s"}` : type;
}

function valuesOf(schema: z.ZodType): readonly string[] {
  const def = defOf(schema);
  if (def.element !== undefined) return valuesOf(unwrapped(def.element).schema);
  if (def.entries !== undefined) return Object.values(def.entries);
  return def.values === undefined ? [] : def.values.map(String);
}

function yamlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlOf).join(", ")}]`;
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return typeof value === "string" && /^[>*&!%@`]/.test(value) ? JSON.stringify(value) : String(value);
}

function defOf(schema: z.ZodType): Def {
  return schema._zod.def;
}
