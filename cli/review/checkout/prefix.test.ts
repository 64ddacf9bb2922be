import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inIndex } from "./prefix.ts";

/** An index of version 2 with these ids; what follows the ids is not read. */
function indexOf(oids: readonly string[]): Buffer {
  const sorted = [...oids].sort();
  const idx = Buffer.alloc(8 + 1024 + sorted.length * 20);
  idx.writeUInt32BE(0xff744f63, 0);
  idx.writeUInt32BE(2, 4);
  for (let byte = 0; byte < 256; byte++)
    idx.writeUInt32BE(sorted.filter((oid) => Number.parseInt(oid.slice(0, 2), 16) <= byte).length, 8 + byte * 4);
  for (const [i, oid] of sorted.entries()) idx.write(oid, 8 + 1024 + i * 20, "hex");
  return idx;
}

const hex = (size: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: size, maxLength: size })
    .map((list) => list.map((digit) => digit.toString(16)).join(""));

test("every id that begins with the digits is found, and no other", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(hex(40), { maxLength: 20 }),
      fc.nat(),
      fc.integer({ min: 4, max: 40 }),
      hex(40),
      (oids, pick, size, other) => {
        const prefix = (oids[pick % Math.max(1, oids.length)] ?? other).slice(0, size);
        assert.deepEqual(
          inIndex(indexOf(oids), prefix),
          [...oids].sort().filter((oid) => oid.startsWith(prefix)),
        );
      },
    ),
  );
});

test("a broken index never throws and gives ids only", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(hex(40), { maxLength: 8 }),
      fc.nat(2000),
      fc.nat(2000),
      fc.nat(255),
      hex(7),
      (oids, cut, at, byte, prefix) => {
        const idx = indexOf(oids);
        idx[at % idx.length] = byte;
        for (const oid of inIndex(idx.subarray(0, cut), prefix)) assert.match(oid, /^[0-9a-f]{40}$/);
        for (const oid of inIndex(idx, prefix)) assert.match(oid, /^[0-9a-f]{40}$/);
      },
    ),
  );
});
