import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printable } from "./index.ts";

test("text stays as it is; what hides, turns or commands shows as a question mark, a break as a space", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["naïve → 日本 ⚠️", "naïve → 日本 ⚠️"],
    ["one\r\n\ttwo\u2028three", "one two three"],
    ["\u001b[31mred\u0007\u009b0m", "?[31mred??0m"],
    ["a\u202eb\u2066c\u061cd", "a?b?c?d"],
    ["ma\u200bil ma\u3164il ma\u115fil ma\u034fil ma\u{e0041}il ma\ufe0fil", "ma?il ma?il ma?il ma?il ma?il ma?il"],
    ["\ud800x", "\ufffdx"],
  ];
  for (const [text, shown] of cases) assert.equal(printable(text), shown);
});

test("any text becomes one line without controls, and is left alone the second time", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = printable(text);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
      assert.equal(printable(shown), shown);
    }),
  );
});
