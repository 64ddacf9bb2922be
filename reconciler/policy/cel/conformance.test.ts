import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import type { Json } from "#base/canonical/index.ts";
import type { Program, Shared, Subject } from "../program.ts";
import { bindDeck } from "./bind.ts";
import { compile } from "./run.ts";

// The cases of the CEL specification, as the library's own package carries them: those that policies can meet, which is values that JSON has, no
// messages, no extension libraries.

/** Names that nobody declared are refused before anything runs; fields in backticks the library does not read. */
const KNOWN = [
  "basic/variables/unbound_is_runtime_error",
  "basic/functions/unbound_is_runtime_error",
  "fields/quoted_map_fields/field_access_slash",
  "fields/quoted_map_fields/field_access_dash",
  "fields/quoted_map_fields/field_access_dot",
  "fields/quoted_map_fields/has_field_slash",
  "fields/quoted_map_fields/has_field_dash",
  "fields/quoted_map_fields/has_field_dot",
];

type Spec = {
  readonly name?: string;
  readonly expr: string;
  readonly value?: Readonly<Record<string, Json>>;
  readonly evalError?: Json;
  readonly bindings?: Json;
  readonly container?: Json;
  readonly disableMacros?: Json;
};
type Suite = { readonly name: string; readonly suites?: readonly Suite[]; readonly tests?: readonly { readonly original: Spec }[] };

const CORE = [
  "basic",
  "comparisons",
  "conversions",
  "fields",
  "fp_math",
  "integer_math",
  "lists",
  "logic",
  "macros",
  "plumbing",
  "string",
  "timestamps",
];

function casesOf(suite: Suite, path: readonly string[]): readonly { readonly id: string; readonly spec: Spec }[] {
  const own = (suite.tests ?? []).map(({ original }) => ({ id: [...path, original.name ?? original.expr].join("/"), spec: original }));
  return [...own, ...(suite.suites ?? []).flatMap((inner) => casesOf(inner, [...path, inner.name]))];
}

/** The expected value as CEL text; null = of a kind that JSON documents and policies do not have. */
function literal(value: Readonly<Record<string, Json>>): string | null {
  const [[kind, is] = ["", null]] = Object.entries(value);
  if (kind === "boolValue") return String(is === true);
  if (kind === "int64Value" && typeof is === "string") return is === "-9223372036854775808" ? null : `(${is})`;
  if (kind === "uint64Value" && typeof is === "string") return `${is}u`;
  if (kind === "stringValue" && typeof is === "string") return JSON.stringify(is);
  if (kind === "doubleValue" && typeof is === "number") return Number.isInteger(is) && Math.abs(is) < 1e15 ? `(${is}.0)` : null;
  return kind === "nullValue" ? "null" : null;
}

const SHARED: Shared = { fleet: {}, plan: {}, commit: {} };
const SUBJECT: Subject = { object: { kind: "Fleet" }, oldObject: null, change: {}, machine: null, plugin: null, grant: null };

const DECK = bindDeck({ shared: SHARED, subjects: [SUBJECT] });

function passes(expression: string): boolean {
  const program: Program = { name: "spec", kinds: ["Fleet"], params: {}, variables: [], validations: [{ expression }] };
  const compiled = compile(program);
  return compiled.problems.length === 0 && compiled.evaluate(DECK, [0]).verdicts[0]?.[0] === true;
}

// Resolved from the library: it is a package of its own, not of ours.
const require = createRequire(createRequire(import.meta.url).resolve("@bufbuild/cel"));
const { tests: root } = require(["@bufbuild", "cel-spec", "testdata", "conformance.js"].join("/")) as { readonly tests: Suite };
const cases = (root.suites ?? [])
  .filter(({ name }) => CORE.includes(name))
  .flatMap((suite) => casesOf(suite, [suite.name]))
  .filter(({ spec }) => spec.bindings === undefined && spec.container === undefined && spec.disableMacros === undefined);

test("every core case of the specification gives what it says, but for those listed", () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { id, spec } of cases) {
    const value = spec.value === undefined ? null : literal(spec.value);
    if (value === null || /\bTestAllTypes\b|google\.protobuf|optional|\bbytes\(|\bb['"]/.test(spec.expr)) continue;
    count++;
    if (!passes(`(${spec.expr}) == ${value}`)) wrong.push(id);
  }
  assert.ok(count > 600, `${count} cases`);
  assert.deepEqual(wrong, KNOWN);
});

/** A map with the keys 0 and 0u: the library takes the first. */
const LENIENT = ["fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous"];

test("no case that is an error by the specification passes, but for one", () => {
  const failing = cases.filter(({ spec }) => spec.evalError !== undefined);
  assert.ok(failing.length > 80, `${failing.length} cases`);
  const passing = failing.filter(({ spec }) => passes(spec.expr) || passes(`(${spec.expr}) == (${spec.expr})`));
  assert.deepEqual(
    passing.map(({ id }) => id),
    LENIENT,
  );
});
