import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { caret, placeInScalar } from "./scalar.ts";

const LINES = [
  ["plain", "a: object.x == 1\n", "==", [1, 13]],
  ["single quotes", "a: 'x == ''y'' && z'\n", "&&", [1, 16]],
  ["double quotes", 'a: "x == \\"y\\" \\u0026\\u0026 z"\n', "&&", [1, 16]],
  ["a block", "a: |\n  object.x\n    && object.y\n  || z\n", "||", [4, 3]],
  ["a folded block", "a: >-\n  object.x\n  && object.y\n", "&&", [3, 3]],
  ["a block with a comment in its header", "a: | # x && y\n  one\n  && two\n", "&&", [3, 3]],
  ["plain over several lines", "a: object.x\n  && object.y\n", "&&", [2, 3]],
  ["beyond the BMP", 'a: "😀" == x\n'.replace('"😀" == x', "'😀 == x'"), "==", [1, 8]],
] as const;

test("a character of a value is found in the file, in every YAML style", async () => {
  const { parse } = await import("yaml");
  for (const [name, text, what, [line, col]] of LINES) {
    const value = (parse(text) as { a: string }).a;
    const place = placeInScalar(text, ["a"], value.indexOf(what), what.length);
    assert.deepEqual([place.line, place.col], [line, col], name);
  }
});

test("a place that is no text is the field's own", () => {
  assert.equal(placeInScalar("a: { b: 1 }\n", ["a", "b"], 3, 1).col, 9);
  assert.equal(placeInScalar("a: 1\n", ["nope"], 0, 1).line, 1);
});

test("the caret stands under the place, also in a long line", () => {
  assert.equal(caret("a: x ++ y\n", { line: 1, col: 6, endLine: 1, endCol: 8 }), "a: x ++ y\n     ^^");
  const long = `a: ${"x".repeat(200)}!${"y".repeat(200)}`;
  const [shown = "", under = ""] = caret(long, { line: 1, col: 204, endLine: 1, endCol: 205 }).split("\n");
  assert.equal(shown[under.length - 1], "!");
  assert.ok(shown.length < 130);
});

test("every visible character of any text is found where it stands, in any style", () => {
  const styles = ["PLAIN", "QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL", "BLOCK_FOLDED"] as const;
  const word = fc.stringMatching(/^[a-z'"\\&|<>=!#:,.()[\]😀é-]{1,12}$/u);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(" ", "\n", "  "),
      fc.constantFrom(...styles),
      (words, gap, type) => {
        const value = words.join(gap);
        const text = stringify({ spec: [{ expression: value }] }, { defaultStringType: type, lineWidth: 30 });
        for (let i = 0; i < value.length; i++) {
          if (/\s/.test(value[i]!)) continue;
          const { line, col } = placeInScalar(text, ["spec", 0, "expression"], i, 1);
          const found = text.split("\n")[line - 1]?.slice(col - 1) ?? "";
          assert.ok(found.startsWith(value[i]!) || found.startsWith("\\"), `${JSON.stringify(text)} ${i} ${found}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});
