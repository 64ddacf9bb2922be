import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { leafHash, merkleRootOf } from "#proof/tlog/index.ts";
import { EMPTY, grow, rootOf } from "./tree.ts";

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
      assert.deepEqual(Buffer.from(rootOf(edge)), Buffer.from(merkleRootOf(Array.from({ length: edge.size }, (_, i) => leafAt(i)))));
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
