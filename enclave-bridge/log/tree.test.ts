import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "#base/canonical/index.ts";
import * as fc from "fast-check";
import { leafHash, nodeHash } from "./arith.ts";
import { EMPTY, grow, rootOf } from "./tree.ts";

/** RFC 6962 §2.1, as it is written there. */
function naive(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256("");
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(naive(leaves.slice(0, k)), naive(leaves.slice(k)));
}

const leafAt = (i: number): Uint8Array => leafHash(new TextEncoder().encode(`entry ${i}`));

test("however entries arrive in groups, the root is the one of RFC 6962", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }), (groups) => {
      let edge = EMPTY;
      for (const group of groups)
        edge = grow(
          edge,
          Array.from({ length: group }, (_, i) => leafAt(edge.size + i)),
        ).edge;
      assert.deepEqual(Buffer.from(rootOf(edge)), Buffer.from(naive(Array.from({ length: edge.size }, (_, i) => leafAt(i)))));
    }),
    { numRuns: 40 },
  );
});

test("a tile is reported once, when its 256th hash is there, and its root moves up a level", () => {
  const { edge, full } = grow(
    EMPTY,
    Array.from({ length: 256 * 256 }, (_, i) => leafHash(Uint8Array.of(i & 255, i >> 8))),
  );
  assert.deepEqual([full.filter((t) => t.level === 0).length, full.filter((t) => t.level === 1).length], [256, 1]);
  assert.deepEqual(
    edge.levels.map((hashes) => hashes.length),
    [0, 0, 1],
  );
});
