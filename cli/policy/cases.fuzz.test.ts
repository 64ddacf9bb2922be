import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import type { Json } from "#base/canonical/index.ts";
import { overlay, readTestFile } from "./cases.ts";

const GOOD = `policy: short
given: { object: { spec: { plugin: mail } } }
cases:
  - name: long
    object: { spec: { expires: "2030-01-01" } }
    change: { machines: { after: 3 } }
    expect: [{ rule: 1, level: deny, message: too long, field: spec.expires }]
`;

function check(text: string): void {
  const { file, findings } = readTestFile("policies/tests/x.yaml", Buffer.from(text));
  assert.equal(file === null, findings.length > 0);
  const lines = text.split("\n");
  for (const { line, col, code } of findings) assert.ok(line >= 1 && line <= lines.length + 1 && col >= 1 && code !== "POLICY_DENIED");
}

test("any text is a test file, or is refused at a place in it", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), check), { numRuns: 500 });
  fc.assert(
    fc.property(fc.nat(GOOD.length), fc.nat(GOOD.length), fc.string({ maxLength: 4 }), (from, to, more) =>
      check(`${GOOD.slice(0, from)}${more}${GOOD.slice(to)}`),
    ),
    { numRuns: 600 },
  );
  fc.assert(
    fc.property(fc.object({ maxDepth: 2 }), (value) => check(stringify({ policy: "x", cases: [value] }))),
    { numRuns: 200 },
  );
});

test("a case laid over what is given is there whole, and laying it over again changes nothing", () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(json, json, (under, over) => {
      const once = overlay(under as Json, over as Json);
      assert.deepEqual(overlay(once, over as Json), once);
      if (over === null || typeof over !== "object" || Array.isArray(over)) assert.deepEqual(once, over);
      else for (const [key, value] of Object.entries(over)) assert.equal(Object.hasOwn(once as object, key), value !== null);
    }),
    { numRuns: 500 },
  );
});
