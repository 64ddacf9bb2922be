import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { parseCommit, parseTree } from "./parse.ts";

const OID = "a".repeat(40);
const oid = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const name = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }).filter((text) => !text.includes("\0") && text.isWellFormed());
const mode = fc.constantFrom("100644", "100755", "40000", "120000", "160000");

/** What `parse` gives, or null when it refuses as it should. */
function attempt<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (err) {
    assert.ok(err instanceof MooringError && err.code === "SOURCE_TREE_REFUSED", String(err));
    return null;
  }
}

test("a tree gives its items in their order, and a cut one gives none", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ mode, name, oid }, { noNullPrototype: true }), { maxLength: 20 }), fc.nat(), (items, at) => {
      const parts = items.map((item) => Buffer.concat([Buffer.from(`${item.mode} ${item.name}\0`), Buffer.from(item.oid, "hex")]));
      const bytes = Buffer.concat(parts);
      assert.deepEqual(parseTree(OID, bytes), items);
      const cut = bytes.subarray(0, at % Math.max(1, bytes.length));
      const found = attempt(() => parseTree(OID, cut));
      assert.ok(found === null || found.length < items.length || items.length === 0);
    }),
  );
});

test("a commit gives its tree and parents, whatever comes behind", () => {
  fc.assert(
    fc.property(oid, fc.array(oid, { maxLength: 5 }), fc.string(), (tree, parents, rest) => {
      const text = `tree ${tree}\n${parents.map((parent) => `parent ${parent}\n`).join("")}author ${rest}`;
      assert.deepEqual(parseCommit(OID, Buffer.from(text)), { tree, parents });
      assert.equal(
        attempt(() => parseCommit(OID, Buffer.from(` ${text}`))),
        null,
      );
      assert.equal(
        attempt(() => parseCommit(OID, Buffer.from(text.replace("author", "autor")))),
        null,
      );
    }),
  );
});

test("no bytes make a parser do anything but give parts or refuse", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom("tree ", "parent ", "author ", OID, "\n", "100644 ", "\0", "40000 ").map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const bytes = Buffer.concat(pieces);
      for (const item of attempt(() => parseTree(OID, bytes)) ?? []) assert.match(item.oid, /^[0-9a-f]{40}$/);
      const commit = attempt(() => parseCommit(OID, bytes));
      if (commit !== null) assert.match(commit.tree, /^[0-9a-f]{40}$/);
    }),
    { numRuns: 1_000 },
  );
});
