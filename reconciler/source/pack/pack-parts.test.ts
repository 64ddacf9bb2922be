import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { applyDelta } from "./delta.ts";
import { readHead, writeHead } from "./entry.ts";
import { Idx, writeIdx } from "./idx.ts";
import { inflate } from "./inflate.ts";
import { Lru } from "./lru.ts";
import { PackTable } from "./table.ts";

type Step = { readonly kind: "copy"; readonly at: number; readonly size: number } | { readonly kind: "add"; readonly bytes: Uint8Array };

const number = (value: number): number[] => (value < 128 ? [value] : [(value % 128) | 0x80, ...number(Math.floor(value / 128))]);

function encode(base: Uint8Array, steps: readonly Step[]): { readonly delta: Buffer; readonly result: Buffer } {
  const out: number[] = [];
  const result: Uint8Array[] = [];
  for (const step of steps) {
    if (step.kind === "add") {
      out.push(step.bytes.length, ...step.bytes);
      result.push(step.bytes);
    } else {
      const args = [step.at, step.at >> 8, step.at >> 16, 0, step.size, step.size >> 8, 0].map((byte) => byte & 255);
      out.push(0xff, ...args);
      result.push(base.subarray(step.at, step.at + step.size));
    }
  }
  const whole = Buffer.concat(result);
  return { delta: Buffer.from([...number(base.length), ...number(whole.length), ...out]), result: whole };
}

const someBase = fc.uint8Array({ minLength: 1, maxLength: 3_000 });
const someSteps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("copy" as const), at: fc.nat(), size: fc.nat() }),
    fc.record({ kind: fc.constant("add" as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 127 }) }),
  ),
  { maxLength: 12 },
);

function fitted(base: Uint8Array, steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => {
    if (step.kind === "add") return step;
    const at = step.at % base.length;
    return { ...step, at, size: 1 + (step.size % (base.length - at)) };
  });
}

test("a delta gives what it was made from", () => {
  fc.assert(
    fc.property(someBase, someSteps, (base, steps) => {
      const { delta, result } = encode(base, fitted(base, steps));
      assert.deepEqual(applyDelta(Buffer.from(base), delta, 1 << 20), result);
    }),
  );
  const big = randomBytes(0x10000);
  assert.deepEqual(applyDelta(big, Buffer.from([...number(0x10000), ...number(0x10000), 0x80]), 1 << 20), big); // a size of 0 means 65,536
});

test("a delta that is cut, longer, for another base or too large gives nothing", () => {
  fc.assert(
    fc.property(someBase, someSteps, fc.nat(), (base, steps, at) => {
      const { delta, result } = encode(base, fitted(base, steps));
      const buffer = Buffer.from(base);
      const cut = delta.subarray(0, at % delta.length);
      assert.ok(applyDelta(buffer, cut, 1 << 20) === null || (cut.length >= 2 && result.length === 0));
      assert.equal(applyDelta(buffer, Buffer.concat([delta, Buffer.of(0)]), 1 << 20), null);
      assert.equal(applyDelta(buffer, Buffer.concat([delta, Buffer.of(1, 1)]), 1 << 20), null);
      assert.equal(applyDelta(Buffer.concat([buffer, Buffer.of(0)]), delta, 1 << 20), null);
      if (result.length > 0) assert.equal(applyDelta(buffer, delta, result.length - 1), null);
    }),
  );
});

test("no bytes make a delta, a head, an index or a stream throw or give more than was said", () => {
  const small = Buffer.from("base");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(500), (bytes, size) => {
      const buffer = Buffer.from(bytes);
      const made = applyDelta(small, buffer, 1_000);
      assert.ok(made === null || made.length <= 1_000);
      assert.ok(applyDelta(small, Buffer.concat([Buffer.of(4, size & 127), buffer]), 1_000) !== undefined);
      const head = readHead(buffer);
      assert.ok(head === null || (head.dataAt <= buffer.length && head.size >= 0));
      assert.equal(Idx.read(buffer, 1_000), null);
      const result = inflate(buffer, size);
      assert.ok(result.at !== "done" || result.content.length === size);
    }),
  );
});

test("heads are read as they are written, up to sizes no file has", () => {
  const type = fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const);
  fc.assert(
    fc.property(type, fc.maxSafeNat(), (kind, size) => {
      const bytes = writeHead(kind, size % 2 ** 45);
      assert.deepEqual(readHead(bytes), { kind: "whole", type: kind, size: size % 2 ** 45, dataAt: bytes.length });
    }),
  );
});

test("a stream that holds more or less than was said is broken, a cut one is short, and what follows is not touched", () => {
  const packed = deflateSync(Buffer.alloc(10_000, 7));
  const behind = Buffer.concat([packed, randomBytes(50)]);
  assert.deepEqual(inflate(behind, 10_000), { at: "done", content: Buffer.alloc(10_000, 7), used: packed.length });
  for (const size of [0, 9_999, 10_001, 1 << 30]) assert.equal(inflate(behind, size).at, "broken", String(size));
  for (const end of [0, 1, 5, packed.length - 1]) assert.equal(inflate(packed.subarray(0, end), 10_000).at, "short");
  assert.deepEqual(inflate(deflateSync(""), 0), { at: "done", content: Buffer.alloc(0), used: 8 });
});

test("an index finds what it was made of and nothing else; a flipped bit makes it none", () => {
  const oid = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex"));
  fc.assert(
    fc.property(fc.uniqueArray(oid, { maxLength: 60 }), oid, fc.nat(), (oids, other, at) => {
      const table = new PackTable();
      oids.forEach((name, i) => table.add(12 + i * 40, i, 3, name, null));
      const size = 12 + oids.length * 40 + 20;
      const bytes = Buffer.from(writeIdx(table, randomBytes(20)));
      const idx = Idx.read(bytes, size);
      assert.ok(idx !== null);
      oids.forEach((name, i) => {
        assert.equal(idx.find(name), 12 + i * 40);
        assert.equal(idx.endOf(12 + i * 40), 12 + (i + 1) * 40);
      });
      assert.equal(idx.find(other) >= 0, oids.includes(other));
      bytes[at % bytes.length]! ^= 1 << (at % 8);
      assert.equal(Idx.read(bytes, size), null);
    }),
  );
});

test("what is kept stays below its limit, what was used lately stays, and what is large never drives the rest out", () => {
  const kept = new Lru<number, { readonly bytes: Uint8Array }>(1 << 20);
  const item = (): { bytes: Uint8Array } => ({ bytes: new Uint8Array(10_000) });
  kept.set(-1, item());
  for (let n = 0; n < 1_000; n++) {
    kept.set(n, item());
    assert.ok(kept.get(-1) !== undefined, `used before ${n}`);
  }
  const there = [...Array(1_000).keys()].filter((n) => kept.get(n) !== undefined);
  assert.ok(there.length >= 45 && there.length <= 105 && there.at(-1) === 999, String(there.length));
  kept.set(2_000, { bytes: new Uint8Array((1 << 18) + 1) });
  assert.equal(kept.get(2_000), undefined);
  assert.ok(kept.get(999) !== undefined);
});
