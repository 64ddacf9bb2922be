import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { bech32, checkPoint, pointOf, recipientOf, unbech32 } from "./index.ts";

test("age-plugin-tagtest's recipient names a point that encodes to it again", () => {
  const text = "age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h";
  assert.equal(recipientOf(pointOf(text)), text);
});

test("any public key survives the way to text and back", () => {
  for (let i = 0; i < 20; i++) {
    const point = new Uint8Array(createECDH("prime256v1").generateKeys());
    checkPoint(point);
    assert.deepEqual(pointOf(recipientOf(point)), point);
  }
});

test("bech32 of any bytes reads back, in lower and upper case", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom("age", "age1tag", "age-secret-key-"), (bytes, hrp) => {
      const text = bech32(hrp, bytes);
      assert.deepEqual(unbech32(text), { hrp, bytes });
      assert.deepEqual(unbech32(text.toUpperCase()), { hrp, bytes });
    }),
  );
});

test("bech32 spells the keys of age as age does", async () => {
  for (let i = 0; i < 5; i++) {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    for (const text of [identity, recipient]) {
      const { hrp, bytes } = unbech32(text);
      assert.equal(bytes.length, 32);
      assert.equal(bech32(hrp, bytes), text.toLowerCase());
    }
  }
});

test("bent, mixed-case or foreign key texts are refused", () => {
  const good = recipientOf(new Uint8Array(createECDH("prime256v1").generateKeys()));
  const short = bech32("age1tag", new Uint8Array(32));
  for (const text of [
    "",
    "1",
    "age1tag1",
    good.slice(0, -1),
    good.replace("tag", "TAG"),
    `${good}q`,
    bech32("age", new Uint8Array(32)),
    short,
    "age1tag1é",
  ])
    assert.throws(() => pointOf(text), { code: "RECIPIENT_MALFORMED" }, text);
  assert.throws(() => pointOf(bech32("age1tag", new Uint8Array(33).fill(255))), { code: "POINT_INVALID" });
});

test("random text never decodes and never crashes", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...Array.from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1")) })), (text) => {
      assert.throws(() => pointOf(text), { code: "RECIPIENT_MALFORMED" });
    }),
  );
});

test("points that are not on the curve are refused", () => {
  const good = new Uint8Array(createECDH("prime256v1").generateKeys());
  const key = createECDH("prime256v1");
  key.generateKeys();
  const compressed = new Uint8Array(Buffer.from(key.getPublicKey("base64", "compressed"), "base64"));
  const infinity = Uint8Array.of(0);
  const wrongForm = good.slice();
  wrongForm[0] = 6;
  const beyond = new Uint8Array(65).fill(255);
  beyond[0] = 4;
  const zero = new Uint8Array(65);
  zero[0] = 4;
  for (const point of [compressed, infinity, wrongForm, beyond, zero, new Uint8Array(0)])
    assert.throws(() => checkPoint(point), { code: "POINT_INVALID" });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (xy) =>
      assert.throws(() => checkPoint(Uint8Array.of(4, ...xy)), { code: "POINT_INVALID" }),
    ),
  );
});
