import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { framed, unframed } from "./index.ts";

test("any parts come back, and no two lists of parts share their bytes", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array()), (parts) => assert.deepEqual(unframed(framed(...parts)), parts)));
});

test("any bytes are parts or FRAME_MALFORMED", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        assert.deepEqual(framed(...unframed(bytes)), bytes);
      } catch (err) {
        assert.equal((err as { readonly code?: string }).code, "FRAME_MALFORMED");
      }
    }),
  );
  assert.throws(() => unframed(new Uint8Array([0, 0, 0, 2, 1])), { code: "FRAME_MALFORMED" });
});
