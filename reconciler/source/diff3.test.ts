import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mergeText } from "./diff3.ts";

const texts = fc.array(fc.constantFrom("a\n", "b\n", "c\n", "d\n", "\n"), { maxLength: 12 }).map((lines) => lines.join(""));

test("a side that changed nothing gives the other side, and equal sides give that side", () => {
  fc.assert(
    fc.property(texts, texts, (base, other) => {
      assert.equal(mergeText(base, base, other), other);
      assert.equal(mergeText(base, other, base), other);
      assert.equal(mergeText(base, other, other), other);
    }),
  );
});

test("a merge does not depend on who is ours and who is theirs", () => {
  fc.assert(fc.property(texts, texts, texts, (base, a, b) => assert.equal(mergeText(base, a, b), mergeText(base, b, a))));
});

test("changes far apart merge, changes that touch are a conflict", () => {
  const cases: readonly (readonly [string, string, string, string | null])[] = [
    ["1\n2\n3\n4\n5\n", "x\n2\n3\n4\n5\n", "1\n2\n3\n4\ny\n", "x\n2\n3\n4\ny\n"],
    ["1\n2\n3\n", "x\n2\n3\n", "1\ny\n3\n", null],
    ["1\n2\n3\n", "x\n2\n3\n", "y\n2\n3\n", null],
    ["1\n2\n3\n4\n", "0\n1\n2\n3\n4\n", "1\n2\n3\n4\n5", "0\n1\n2\n3\n4\n5"],
    ["", "a\n", "b\n", null],
    ["1\n2", "1\n2\n", "1\n2", "1\n2\n"],
  ];
  for (const [base, ours, theirs, merged] of cases) assert.equal(mergeText(base, ours, theirs), merged);
});
