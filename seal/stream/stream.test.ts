import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { CHUNK_SIZE, openStream, sealStream } from "./index.ts";

const key = new Uint8Array(32).fill(7);
const SEALED = CHUNK_SIZE + 16;
const corrupt = { code: "STREAM_CORRUPT" };

test("what was sealed opens again, whole, at every size around a chunk", () => {
  for (const size of [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE, 3 * CHUNK_SIZE + 5]) {
    const plain = new Uint8Array(randomBytes(size));
    const sealed = sealStream(key, plain);
    assert.equal(sealed.length, size + 16 * Math.max(1, Math.ceil(size / CHUNK_SIZE)));
    assert.deepEqual(openStream(key, sealed), plain);
  }
});

test("nonces are age's: an 11-byte counter, then the last flag", () => {
  const two = sealStream(key, new Uint8Array(CHUNK_SIZE + 1));
  const one = sealStream(key, new Uint8Array(CHUNK_SIZE));
  assert.notDeepEqual(two.subarray(0, 32), one.subarray(0, 32)); // the first chunk of two is not the last
  assert.deepEqual(sealStream(key, new Uint8Array(2)), sealStream(key, new Uint8Array(2)));
});

test("a stream cut anywhere is refused", () => {
  const sealed = sealStream(key, new Uint8Array(2 * CHUNK_SIZE + 100));
  for (const size of [0, 1, 15, 16, 17, SEALED - 1, SEALED, SEALED + 15, SEALED + 16, 2 * SEALED, sealed.length - 1])
    assert.throws(() => openStream(key, sealed.subarray(0, size)), corrupt, `${size}`);
});

test("chunks swapped, repeated, dropped or added are refused", () => {
  const sealed = sealStream(key, new Uint8Array(randomBytes(3 * CHUNK_SIZE)));
  const at = (i: number): Uint8Array => sealed.subarray(i * SEALED, (i + 1) * SEALED);
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  for (const bad of [
    join(at(1), at(0), at(2)),
    join(at(0), at(0), at(2)),
    join(at(1), at(2)),
    join(at(0), at(2)),
    join(at(0), at(1), at(2), at(2)),
    join(sealed, new Uint8Array(1)),
    join(sealed, sealStream(key, new Uint8Array(0))),
  ])
    assert.throws(() => openStream(key, bad), corrupt);
});

test("any flipped bit and any other key are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.integer({ min: 0, max: 7 }), (plain, where, bit) => {
      const sealed = sealStream(key, plain);
      assert.throws(() => openStream(new Uint8Array(32), sealed), corrupt);
      const i = where % sealed.length;
      sealed[i] = (sealed[i] as number) ^ (1 << bit);
      assert.throws(() => openStream(key, sealed), corrupt);
    }),
  );
});
