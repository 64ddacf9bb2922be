import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { parseBlob } from "#reconciler/desired/index.ts";
import { isKind } from "#schemas/fleet/index.ts";
import { fileName, jsonSchemas } from "#schemas/fleet/json-schema.ts";
import { edited, goldenTree, type Tree } from "../support/fleet-tree.ts";
import { fullTree } from "../support/full-tree.ts";

// An editor has the JSON Schemas only: it must accept what the hub accepts, and see the same misspelling while it is typed.
const ajv = new Ajv({ strict: false, allErrors: true });
const SCHEMAS = jsonSchemas();
const checkOf = (name: string) => ajv.compile(JSON.parse(SCHEMAS.get(name)!) as object);
const index = checkOf("index.json");
const PLUGIN = "plugins/greeter.yaml";
const GRANT = "grants/greeter.yaml";

const documents = (tree: Tree) => Object.entries(tree).filter(([path]) => path.endsWith(".yaml"));

test("every document that the hub accepts is valid in an editor, by its kind's schema and by the index", () => {
  for (const [path, text] of [...documents(goldenTree()), ...documents(fullTree())]) {
    const value = parse(text) as { readonly kind: string };
    assert.ok(isKind(value.kind));
    assert.deepEqual(parseBlob(new TextEncoder().encode(text)).problems, [], path);
    for (const check of [index, checkOf(`${fileName(value.kind)}.json`)])
      assert.ok(check(value), `${path}: ${ajv.errorsText(check.errors)}`);
  }
});

test("a misspelling that the hub refuses is refused in the editor", () => {
  const cases: readonly (readonly [path: string, from: string | RegExp, to: string])[] = [
    [PLUGIN, "  version:", "  versoin:"],
    [PLUGIN, "version: 1.0.0", "version: one"],
    [PLUGIN, "version: 1.0.0", "version: 1.5"],
    [PLUGIN, /sha256:../, "sha256:XX"],
    [PLUGIN, "machines: { labels", "machines: { label"],
    [PLUGIN, "machines: { labels: { role: greeter } }", "machines: some"],
    [PLUGIN, "  machines:", "  drift: corect\n  machines:"],
    [PLUGIN, "  machines:", "  run: { restrat: always }\n  machines:"],
    [PLUGIN, "  machines:", "  rollout: { soak: 10 minutes }\n  machines:"],
    [PLUGIN, "  machines:", "  network: { allow: [everywhere] }\n  machines:"],
    [PLUGIN, "apiVersion: mooring/v1", "apiVersion: mooring/v2"],
    [GRANT, "delivery: fd", "delivery: filedescriptor"],
    [GRANT, "secret://team/greeting", "team/greeting"],
    [GRANT, "delivery: fd", "delivery: fd, hots: [a]"],
    ["machines/mini-01.yaml", "incarnation: 1", "incarnation: 0"],
    ["machines/mini-01.yaml", "mode: manage", "mode: mange"],
    ["machines/mini-01.yaml", "kind: Machine", "kind: Machin"],
    ["machines/mini-01.yaml", "role: greeter", "role: 1"],
    ["fleet.yaml", "threshold: 2", "treshold: 2"],
    ["fleet.yaml", "interval: 10m", "interval: ten"],
    ["secrets/team/greeting.yaml", "current: 1", 'current: "1"'],
    ["secrets/team/greeting.yaml", '"1":', '"one":'],
  ];
  for (const [path, from, to] of cases) {
    const text = edited(goldenTree(), path, from, to)[path]!;
    assert.ok(parseBlob(new TextEncoder().encode(text)).problems.length > 0, `${path} ${to}: the hub`);
    assert.ok(!index(parse(text)), `${path} ${to}: the editor`);
  }
});

test("every field of a schema carries its description", () => {
  for (const [name, text] of SCHEMAS) {
    const missing: string[] = [];
    walk(JSON.parse(text) as Node, "", missing);
    assert.deepEqual([name, missing], [name, []]);
  }
});

type Node = { readonly description?: string; readonly properties?: Readonly<Record<string, Node>>; readonly [key: string]: unknown };

function walk(node: unknown, path: string, missing: string[]): void {
  if (typeof node !== "object" || node === null) return;
  const { properties } = node as Node;
  for (const [name, child] of Object.entries(properties ?? {})) if (child.description === undefined) missing.push(`${path}.${name}`);
  for (const [key, child] of Object.entries(node)) walk(child, `${path}.${key}`, missing);
}
