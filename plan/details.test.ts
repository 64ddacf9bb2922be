import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canon, type JsonObject } from "#base/canonical/index.ts";
import { differences, short } from "./details.ts";

test("a name that others chose stays on its line and looks like no other: quoted, with nothing hidden in it", () => {
  const lines = differences({}, { "k\n+ trust": 1, "a\u202eb": 1, "a.b": 1, plain_1: 1 }, "config");
  assert.deepEqual(lines, [
    'config."a.b": none → 1',
    'config."a?b": none → 1',
    'config."k\\n+ trust": none → 1',
    "config.plain_1: none → 1",
  ]);
  assert.equal(short("x\u001b[31m\u202egnp\u3164"), "x?[31m?gnp?");
  assert.deepEqual(differences({ a: [] }, { a: [{ b: "\u202e" }] }, ""), ['a: + {"b":"?"}']);
});

test("members called as JavaScript's own, and members that are null, come and go like others", () => {
  assert.deepEqual(differences({}, { constructor: 1, toString: "x" }, ""), ["constructor: none → 1", "toString: none → x"]);
  assert.deepEqual(differences({}, { a: null }, ""), ["a: none → null"]);
  assert.deepEqual(differences({ a: null }, {}, ""), ["a: null → none"]);
});

test("of a list of things with names each thing is compared with itself", () => {
  const policy = (name: string, level: string) => ({
    kind: "Policy",
    metadata: { name, annotations: {} },
    spec: { text: "x".repeat(99), level },
  });
  const before = { policies: [policy("a", "deny"), policy("b", "deny")], freeze: [{ name: "weekend", for: 1 }] };
  const after = { policies: [policy("b", "audit"), policy("c", "deny")], freeze: [{ name: "weekend", for: 2 }] };
  assert.deepEqual(
    differences(before, after, "fleet").map((line) => line.replace(/\{.*?(?= →|$)/, "{")),
    [
      "fleet.freeze.weekend.for: 1 → 2",
      "fleet.policies.a: { → none",
      "fleet.policies.b.spec.level: deny → audit",
      "fleet.policies.c: none → {",
    ],
  );
  assert.deepEqual(differences({ freeze: [] }, { freeze: [{ name: "weekend" }] }, ""), ['freeze.weekend: none → {"name":"weekend"}']);
  assert.deepEqual(differences([policy("a", ""), policy("b", "")], [policy("b", ""), policy("a", "")], "p"), ["p: another order"]);
  assert.deepEqual(differences([{ name: "a" }, { name: "a" }], [{ name: "a" }], "p"), ["p: another order"]);
});

test("two long values are shown where they differ", () => {
  const long = "https://models.example.net/".padEnd(200, "x");
  const [line = ""] = differences({ url: `${long}good` }, { url: `${long}evil` }, "");
  assert.match(line, /^url: ….*good → ….*evil$/);
  assert.ok(line.length < 200, line);
});

test("whatever differs has a line, and each is one line", () => {
  const key = fc.string({ unit: "binary" }).filter((name) => name !== "__proto__" && name.isWellFormed());
  const value = fc.object({
    key,
    values: [fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()), fc.integer(), fc.constant(null)],
  });
  fc.assert(
    fc.property(value, value, (one, other) => {
      const [before, after] = [one, other].map((item) => JSON.parse(JSON.stringify(item)) as JsonObject);
      const lines = differences(before!, after!, "");
      assert.equal(lines.length === 0, canon(before!) === canon(after!));
      for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
    }),
  );
});
