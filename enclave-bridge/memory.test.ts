import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { CHACHA20_POLY1305 } from "#seal/hpke/index.ts";
import { LOCKED, SODIUM_CHACHA, withLocked } from "./memory.ts";

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

test("sodium's ChaCha20-Poly1305 and node's seal to the same bytes and open each other's", () => {
  fc.assert(
    fc.property(bytes(32), bytes(12), fc.uint8Array(), fc.uint8Array(), (key, nonce, aad, plain) => {
      const ct = SODIUM_CHACHA.seal(key, nonce, aad, plain);
      assert.deepEqual(ct, CHACHA20_POLY1305.seal(key, nonce, aad, plain));
      const out = LOCKED.alloc(plain.length);
      SODIUM_CHACHA.open(out, key, nonce, aad, ct);
      assert.deepEqual(new Uint8Array(out), plain);
      ct[0] = (ct[0] ?? 0) ^ 1;
      assert.throws(() => SODIUM_CHACHA.open(out, key, nonce, aad, ct), { code: "SEAL_UNOPENED" });
      assert.ok(out.every((byte) => byte === 0));
      LOCKED.free(out);
    }),
  );
});

test("locked memory starts as zeros of the size asked for and is given back also after an error", async () => {
  assert.equal(await withLocked(40, (buffer) => buffer.length), 40);
  assert.equal(await withLocked(0, (buffer) => buffer.length), 0);
  await assert.rejects(
    withLocked(8, () => {
      throw new RangeError("no");
    }),
    RangeError,
  );
});
