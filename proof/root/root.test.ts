import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Digest, digestOf } from "#base/canonical/index.ts";
import {
  classDigest,
  classIndexes,
  fleetTrees,
  type Index,
  indexOf,
  machineLeaf,
  machineRoot,
  merklePath,
  merkleRoot,
  RELEASE_CLASSES,
  rootFromPath,
  sortIndex,
  treeDigest,
} from "./index.ts";

const KEYS = ["agent", "identity", "posture", "grant/a", "grant/b", "account/admin", "plugin/mail", "secret/team/x", "trust"];
const anIndex = fc
  .subarray(KEYS, { minLength: 1 })
  .chain((keys) =>
    fc
      .tuple(...keys.map(() => fc.nat({ max: 3 })))
      .map((versions) => sortIndex(keys.map((key, i) => [key, digestOf(`${key} ${versions[i]}`)] as const))),
  );
const aFleet = fc.array(anIndex, { maxLength: 12 }).map((list) => new Map(list.map((index, i) => [`m${i}`, index] as const)));

test("the trees of a fleet are those of the plain definition, and every path leads to its root", () => {
  fc.assert(
    fc.property(aFleet, (fleet) => {
      const trees = fleetTrees("acme", fleet);
      for (const name of [...RELEASE_CLASSES, "secrets"] as const) {
        const rows = [...fleet]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .flatMap(([machine, index]) => {
            const of = classIndexes(index).get(name);
            return of === undefined ? [] : [{ machine, leaf: machineLeaf("acme", machine, classDigest(name, of)) }];
          });
        const leaves = rows.map(({ leaf }) => leaf);
        assert.deepEqual(trees.roots[name], { root: merkleRoot(leaves), size: leaves.length });
        for (const [i, { machine, leaf }] of rows.entries()) {
          const path = trees.path(name, machine)!;
          assert.deepEqual(path, merklePath(leaves, i));
          assert.equal(rootFromPath(leaf, path.index, leaves.length, path.hashes), trees.roots[name].root);
        }
        assert.equal(trees.path(name, "nobody"), null);
      }
    }),
    { numRuns: 30 },
  );
});

test("trees edited machine by machine equal those made at once", () => {
  fc.assert(
    fc.property(aFleet, fc.array(fc.tuple(fc.nat({ max: 14 }), fc.option(anIndex)), { maxLength: 6 }), (fleet, edits) => {
      let trees = fleetTrees("acme", fleet);
      const now = new Map<string, Index>(fleet);
      for (const [at, index] of edits) {
        if (index === null) now.delete(`m${at}`);
        else now.set(`m${at}`, index);
        trees = trees.with(new Map([[`m${at}`, index]]));
      }
      const fresh = fleetTrees("acme", now);
      assert.deepEqual(trees.roots, fresh.roots);
      for (const machine of now.keys()) assert.deepEqual(trees.path("access", machine), fresh.path("access", machine));
    }),
    { numRuns: 40 },
  );
});

test("one machine of many changes: the same roots as from scratch, and the trees before stay as they were", () => {
  const many = new Map(Array.from({ length: 100 }, (_, i) => [`m${i}`, sortIndex([["agent", digestOf(`agent ${i}`)]])] as const));
  const before = fleetTrees("acme", many);
  const root = before.roots.machines.root;
  const change = new Map([["m7", sortIndex([["agent", digestOf("other")]])]]);
  const after = before.with(change);
  assert.deepEqual(after.roots, fleetTrees("acme", new Map([...many, ...change])).roots);
  assert.equal(before.roots.machines.root, root);
  assert.notEqual(after.roots.machines.root, root);
});

test("an index is sorted by key and names each key once", () => {
  const agent = { kind: "agent", version: "1" };
  const mail = { kind: "plugin", name: "mail" };
  assert.deepEqual(
    indexOf([mail, agent]).map(([key]) => key),
    ["agent", "plugin/mail"],
  );
  assert.throws(() => indexOf([agent, agent]), { code: "SECTION_INVALID" });
  assert.throws(() => indexOf([{ kind: "toString" }]), { code: "SECTION_INVALID" });
  assert.equal(machineRoot("acme", "m", indexOf([mail, agent])), machineRoot("acme", "m", indexOf([agent, mail])));
});

test("a file list with a path twice, or a field of another form, has no digest", () => {
  const sha = digestOf("x");
  const bad = [
    [
      ["a", 420, 1, sha],
      ["a", 420, 1, sha],
    ],
    [["", 420, 1, sha]],
    [["a", -1, 1, sha]],
    [["a", 420, 0.5, sha]],
    [["a", 420, 1, "x" as Digest]],
    [["\ud800", 420, 1, sha]],
  ] as const;
  for (const files of bad) assert.throws(() => treeDigest(files), { code: "TREE_INVALID" });
});
