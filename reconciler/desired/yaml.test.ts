import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseBlob } from "./document.ts";
import { locate, readYaml } from "./yaml.ts";

const read = (text: string) => readYaml(new TextEncoder().encode(text));
const codes = (text: string): string[] => read(text).problems.map((item) => item.code);

test("plain YAML 1.2 is read", () => {
  assert.deepEqual(read('a: 12\nb: [1.5, -3, yes, "1.10"]\nc: {d: null}\n').value, { a: 12, b: [1.5, -3, "yes", "1.10"], c: { d: null } });
});

test("what a reviewer could misread is refused", () => {
  const bad: readonly (readonly [text: string, why: string])[] = [
    ["a: &x 1\nb: *x\n", "anchor and alias"],
    ["a: &x 1\n", "anchor"],
    ["a: !!str 1\n", "tag"],
    ["a: !custom 1\n", "unknown tag"],
    ["%YAML 1.1\n---\na: yes\n", "directive"],
    ["%TAG ! tag:x,2020:\n---\na: 1\n", "tag directive"],
    ["a: 1\n---\nb: 2\n", "two documents"],
    ["a: 1\na: 2\n", "duplicate key"],
    ["a: {b: 1, b: 2}\n", "duplicate key in flow"],
    ["<<: {a: 1}\n", "merge"],
    ["__proto__: {a: 1}\n", "proto"],
    ["? [a]\n: 1\n", "key that is a list"],
    ["a:\n\tb: 1\n", "tab"],
    ["a: [1\n", "open bracket"],
    ['a: "\\ud800"\n', "half a character"],
    [`a: ${"[".repeat(100)}${"]".repeat(100)}\n`, "deep flow"],
    [`a: ${"[".repeat(30)}${"]".repeat(30)}\n`, "more than 20 levels"],
  ];
  for (const [text, why] of bad) assert.deepEqual([...new Set(codes(text))], ["FLEET_YAML_REFUSED"], why);
});

test("numbers that would lose digits ask for quotes", () => {
  for (const number of ["1.10", "014", "0x1F", "1e3", "+1", ".inf", ".nan", "0o14", "-0", "9007199254740993", "1e+21"]) {
    assert.deepEqual(codes(`version: ${number}\n`), ["FLEET_VALUE_UNQUOTED"], number);
  }
  assert.deepEqual(codes("3: x\n"), ["FLEET_VALUE_UNQUOTED"]);
});

test("a file over 256 KiB or not in UTF-8 is refused before it is parsed", () => {
  assert.deepEqual(readYaml(new Uint8Array(262_145).fill(97)).problems[0]?.code, "FLEET_FILE_TOO_LARGE");
  assert.deepEqual(readYaml(new Uint8Array([0x61, 0xff])).problems[0]?.code, "FLEET_FILE_UNREADABLE");
});

test("places are lines and columns from 1, of key, value or the nearest ancestor", () => {
  const text = "a: 1\nspec:\n  list:\n    - {x: 1}\n    - {x: 22}\n";
  assert.deepEqual(locate(text, ["spec", "list", 1, "x"]), { line: 5, col: 11, endLine: 5, endCol: 13 });
  assert.deepEqual(locate(text, ["spec", "list"], "key"), { line: 3, col: 3, endLine: 3, endCol: 7 });
  assert.equal(locate(text, ["spec", "gone", "deeper"]).line, 2);
  assert.equal(locate('"😀": 1\nb: {"😀": {c: 2}}\n', ["b", "😀", "c"]).col, 15); // UTF-16 units
});

test("no bytes make the reader throw, and no problem is outside the file", () => {
  const source =
    'apiVersion: mooring/v1\nkind: Plugin\nmetadata: { name: a }\nspec:\n  version: 1.0.0\n  source: { url: "https://x/y" }\n  machines: all\n';
  const junk = fc.constantFrom(
    "&a ",
    "*a ",
    "!!x ",
    "- ",
    ": ",
    "\t",
    "{",
    "[",
    "]",
    "}",
    "'",
    '"',
    "%",
    "#",
    "|",
    ">",
    "? ",
    "\n",
    "---\n",
    "\u0000",
    "\ud83d",
  );
  const mutated = fc
    .tuple(fc.nat(source.length), fc.nat(8), junk)
    .map(([at, cut, put]) => source.slice(0, at) + put + source.slice(at + cut));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    mutated.map((text) => new TextEncoder().encode(text)),
    fc.array(junk, { maxLength: 80 }).map((parts) => new TextEncoder().encode(parts.join(""))),
  );
  fc.assert(
    fc.property(bytes, (input) => {
      const { problems, doc, text } = parseBlob(input);
      const lines = text.split("\n").length;
      for (const item of problems) assert.ok(item.line >= 1 && item.line <= lines && item.col >= 1 && item.fix !== "");
      assert.ok((doc === undefined) === problems.length > 0);
    }),
    { numRuns: 2000 },
  );
});
