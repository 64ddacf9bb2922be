import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { finding } from "#reconciler/desired/index.ts";
import { painter } from "../report/paint.ts";
import { excerptOf, findingBlock } from "./index.ts";

const START = { line: 1, col: 1, endLine: 1, endCol: 1 };

const at = (col: number, endCol: number, file = "plugins/a.yaml", line = 1) =>
  finding("FLEET_FIELD_INVALID", file, { line, col, endLine: line, endCol }, "x");

test("the caret stands under the mistake, and nothing behind it is shown", () => {
  assert.deepEqual(excerptOf(at(3, 8), "  wrong: value"), ["1 |   wrong…", "  |   ^^^^^"]);
  assert.deepEqual(excerptOf(at(3, 8), "  wrong:"), ["1 |   wrong:", "  |   ^^^^^"]);
  assert.deepEqual(excerptOf(at(6, 9), "key: bad"), ["1 | key: bad", "  |      ^^^"]);
  assert.deepEqual(excerptOf(at(6, 9, "secrets/team/a.yaml"), "key: bad"), ["1 | key: …", "  |      ^"]);
});

test("a line with characters that nobody sees, an empty one or one that is not there is not shown", () => {
  for (const text of ["a: \u001b[2J", "a: \u202e x", "", "   "]) assert.equal(excerptOf(at(1, 2), text), null);
  assert.equal(excerptOf(at(1, 2, "a.yaml", 9), "a: 1\n"), null);
});

test("a file's name reaches the terminal as text", () => {
  const item = finding("NAME_TAKEN", "machines/a\u001b[2J\n\u202e.yaml", START, "a Machine of this name is in b\u009b.yaml too");
  const text = findingBlock(item, { paint: painter(false), folder: "", textOf: () => null });
  assert.match(text, /^machines\/a\?\[2J\?\?\.yaml:1:1 NAME_TAKEN a Machine of this name is in b\?\.yaml too\n {2}fix: /);
});

test("whatever the text and the place, two short lines come out and the caret is on what is shown", () => {
  const place = fc.record({ line: fc.integer({ min: 1, max: 4 }), col: fc.integer({ min: 1, max: 400 }), width: fc.nat(300) });
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), place, (text, { line, col, width }) => {
      const lines = excerptOf(finding("FLEET_FIELD_INVALID", "a.yaml", { line, col, endLine: line, endCol: col + width }, "x"), text);
      if (lines === null) return;
      assert.ok(lines.every((one) => one.length <= 220 && !one.includes("\n")));
      assert.match(lines[1], /^ +\| *\^+$/);
    }),
    { numRuns: 1000 },
  );
});
