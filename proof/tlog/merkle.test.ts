import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { emptyRoot, type Hash, isConsistent, leafHash, merkleRootOf, MerkleTree, nodeHash, rootFromInclusion } from "./index.ts";

/** RFC 6962 §2.1, word for word: the oracle. */
function naive(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(naive(leaves.slice(0, k)), naive(leaves.slice(k)));
}

const hex = (hash: Hash): string => Buffer.from(hash).toString("hex");
const leavesOf = (n: number, seed = ""): Hash[] => Array.from({ length: n }, (_, i) => leafHash(`${seed}${i}`));

test("the tree of RFC 6962's reference data comes out as published", () => {
  const entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
  const tree = new MerkleTree(entries.map((entry) => leafHash(Buffer.from(entry, "hex"))));
  assert.equal(hex(tree.root), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  assert.equal(hex(emptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("roots, prefixes and paths agree with the naive tree hash", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 140 }), fc.nat(), (size, pick) => {
      const leaves = leavesOf(size);
      const tree = new MerkleTree(leaves);
      assert.deepEqual(tree.root, naive(leaves));
      assert.deepEqual(merkleRootOf(leaves), tree.root);
      const prefix = pick % (size + 1);
      assert.deepEqual(tree.rootAt(prefix), naive(leaves.slice(0, prefix)));
      if (size === 0) return;
      const at = pick % size;
      assert.deepEqual(rootFromInclusion(leaves[at]!, at, size, tree.inclusion(at)), tree.root);
    }),
    { numRuns: 60 },
  );
});

test("a tree grown and edited leaf by leaf equals one made at once", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 60 }), (edits) => {
      const tree = new MerkleTree();
      const leaves: Hash[] = [];
      for (const [i, edit] of edits.entries()) {
        const at = Math.min(edit, leaves.length);
        leaves[at] = leafHash(`edit ${i}`);
        tree.set(at, leaves[at]);
        assert.deepEqual(tree.root, naive(leaves));
      }
    }),
    { numRuns: 40 },
  );
});

test("every consistency proof verifies, and no other proof or root does", () => {
  for (let to = 0; to <= 40; to++) {
    const tree = new MerkleTree(leavesOf(to));
    for (let from = 0; from <= to; from++) {
      const proof = tree.consistency(from);
      const [a, b] = [
        { size: from, root: tree.rootAt(from) },
        { size: to, root: tree.root },
      ];
      assert.ok(isConsistent(a, b, proof), `${from} ${to}`);
      if (from === 0) continue;
      const other = leafHash("other");
      assert.ok(!isConsistent({ ...a, root: other }, b, proof));
      assert.ok(!isConsistent(a, b, [...proof, other]));
      if (proof.length > 0) assert.ok(!isConsistent(a, b, proof.slice(1)));
      if (from < to) assert.ok(!isConsistent(a, { ...b, root: other }, proof));
    }
  }
});

test("a log that rewrote an old entry is inconsistent with its past", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), fc.nat(), (to, x, y) => {
      const from = 1 + (x % (to - 1));
      const before = new MerkleTree(leavesOf(from));
      const rewritten = leavesOf(to);
      rewritten[y % from] = leafHash("rewritten");
      const after = new MerkleTree(rewritten);
      assert.ok(!isConsistent({ size: from, root: before.root }, { size: to, root: after.root }, after.consistency(from)));
    }),
    { numRuns: 60 },
  );
});

test("an index, size or path that cannot belong together leads to no root", () => {
  const tree = new MerkleTree(leavesOf(7));
  const path = tree.inclusion(3);
  const leaf = tree.leaf(3)!;
  for (const [index, size] of [
    [-1, 7],
    [7, 7],
    [0.5, 7],
    [3, 2 ** 60],
    [3, 0],
  ] as const)
    assert.equal(rootFromInclusion(leaf, index, size, path), null);
  assert.notDeepEqual(rootFromInclusion(leaf, 2, 7, path), tree.root);
  assert.equal(isConsistent({ size: 8, root: tree.root }, { size: 7, root: tree.root }, []), false);
  assert.throws(() => tree.inclusion(7), RangeError);
  assert.throws(() => tree.set(9, leaf), RangeError);
});
