import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fullTree } from "#test/support/full-tree.ts";
import { goldenTree } from "#test/support/fleet-tree.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { readYamlInFull } from "./yaml.ts";

const DOCUMENTS = [...Object.entries(goldenTree()), ...Object.entries(fullTree())]
  .filter(([path]) => path.endsWith(".yaml"))
  .map(([, text]) => text);

/** Never another value than the full reader's, and none where it refuses. */
function agrees(text: string): void {
  const plain = readPlainYaml(text);
  if (plain === undefined) return;
  const full = readYamlInFull(text);
  assert.deepEqual({ problems: full.problems, value: plain }, { problems: [], value: full.value }, JSON.stringify(text));
  assert.equal(JSON.stringify(plain), JSON.stringify(full.value), "in the same order");
}

const word = fc.constantFrom(
  ..."a b kind x: y: key: : - , [ ] { } # \" ' & * ! | > % @ ` ? ~ null true False yes 0 1 -1 1.5 1e3 0x1F 0o7 .5 .inf .nan 1.4.2 10m 007 +1 2026-11-01 12:30:00 a:b secret://t/x <<: __proto__ -- --- ... \\n \\".split(
    " ",
  ),
  ..."[{}],#".split(""),
  '"q": ',
  " ",
  "  ",
  "\n",
  "\n  ",
  "\n    ",
  "\n- ",
  "\n  - ",
  "\t",
  "\r\n",
  "é",
  ": ",
  " #",
  "- ",
  ", ",
  "[ ",
  " ]",
  "{ ",
  " }",
);

test("plain YAML reads as the full reader reads it: documents with something in their midst", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...DOCUMENTS),
      fc.array(fc.tuple(fc.nat(), fc.nat(12), fc.array(word, { maxLength: 4 })), { maxLength: 3 }),
      (document, edits) => {
        let text = document;
        for (const [at, gone, words] of edits) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + words.join("") + text.slice(place + gone);
        }
        agrees(text);
      },
    ),
    { numRuns: 20_000 },
  );
});

test("plain YAML reads as the full reader reads it: values, lists, maps and lines at random", () => {
  const words = fc.array(word, { maxLength: 8 }).map((list) => list.join(""));
  const forms: readonly ((text: string) => string)[] = [
    (text) => `k: ${text}\n`,
    (text) => `k: [${text}]\n`,
    (text) => `k: {${text}}\n`,
    (text) => `k:\n  - ${text}\nl: x\n`,
    (text) => `k:${text}`,
  ];
  for (const form of forms)
    fc.assert(
      fc.property(words, (text) => agrees(form(text))),
      { numRuns: 15_000 },
    );
  const line = fc.constantFrom(
    ...'a:|b:|c: 1|d: x|  a:|  b: 2|  c: [a, b]|    a: x|    - a|  - b|- c|  - { a: b }||  |# n|      # m|   x: y| a: b|e: "q"|  - a: b|    c: d|f: [|g: ]|  more|- |-'.split(
      "|",
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 9 }), (list) => agrees(list.join("\n"))),
    { numRuns: 40_000 },
  );
});

test("what people write in a fleet repo is plain for the most part", () => {
  const plain = DOCUMENTS.filter((text) => readPlainYaml(text) !== undefined);
  assert.ok(plain.length * 2 > DOCUMENTS.length, `${plain.length} of ${DOCUMENTS.length}`);
});
