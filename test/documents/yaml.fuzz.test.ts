import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseBlob, placeBlob } from "#reconciler/desired/index.ts";
import { fullTree } from "../support/full-tree.ts";

const CANARY = "hunter2hunter2";
const TREE = Object.entries(fullTree()).filter(([path]) => path.endsWith(".yaml"));

const piece = fc.oneof(
  fc.constantFrom(
    ..."& * ! !! | > ' \" % @ ` ? : - , # { } [ ] ~ << <<: .nan 1e999 0o7 yes null __proto__ constructor toString --- ... %YAML \\u0000".split(
      " ",
    ),
    ..."\n \t \r \0 \u0085 \u2028 \ufeff \u202e \ud83d \udc00 é 😀".split(" "),
    "\n\n",
    "\n  ",
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a ",
    "a: &a\n",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.string({ maxLength: 6 }),
);

/** A document of the full tree with some cuts and insertions, one of which is a value that nobody may read. */
const mutated = fc
  .record({
    file: fc.constantFrom(...TREE),
    edits: fc.array(
      fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(20), put: piece, times: fc.constantFrom(1, 1, 1, 2, 300) }),
      {
        maxLength: 4,
      },
    ),
    value: fc.nat(40),
  })
  .map(({ file: [path, text], edits, value }) => {
    const values = [...text.matchAll(/(?<=[\w"]: )[\w./:-]+/g)];
    const spot = values[value % values.length];
    let out = spot === undefined ? text : text.slice(0, spot.index) + CANARY + text.slice(spot.index + spot[0].length);
    for (const { at, cut, put, times } of edits) {
      const start = Math.floor(at * out.length);
      out = out.slice(0, start) + put.repeat(times) + out.slice(start + cut);
    }
    return { path, text: out };
  });

test("no document makes the front throw, say nothing of what it refuses, point outside the file or quote a value", () => {
  fc.assert(
    fc.property(mutated, ({ path, text }) => {
      const blob = parseBlob(new TextEncoder().encode(text));
      const { loaded, findings } = placeBlob(path, blob);
      assert.equal(blob.doc === undefined, blob.problems.length > 0);
      assert.ok(loaded !== null || findings.length > 0 || !blob.isOurs);
      const lines = blob.text === "" ? [""] : blob.text.split("\n");
      for (const { line, col, message, fix, subject } of findings) {
        assert.ok(line >= 1 && line <= lines.length && col >= 1 && col <= lines[line - 1]!.length + 2, `${line}:${col} ${message}`);
        assert.ok(message.length < 400 && fix !== "" && subject !== undefined);
        const namesKeys = /^unknown field|given twice/.test(message); // a value that an edit made a key is a key
        assert.ok(namesKeys || !`${message}${fix}`.includes(CANARY), `${message} ${fix}`);
      }
    }),
    { numRuns: 4000 },
  );
});

test("no bytes make the front throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const { problems, doc } = parseBlob(bytes);
      assert.equal(doc === undefined, problems.length > 0);
    }),
    { numRuns: 1500 },
  );
});
