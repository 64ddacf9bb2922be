import assert from "node:assert/strict";
import { test } from "node:test";
import { armor, Encrypter, generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { LOCKED } from "#bridge/memory.ts";
import { unbech32 } from "#seal/hpke/index.ts";
import { openAge, readAgeFile, type AgeIdentity } from "./index.ts";

async function identity(): Promise<{ own: AgeIdentity; recipient: string }> {
  const text = await generateX25519Identity();
  const recipient = await identityToRecipient(text);
  const secret = LOCKED.alloc(32);
  secret.set(unbech32(text).bytes);
  return { own: { secret, recipient: unbech32(recipient).bytes }, recipient };
}

async function sealed(value: Uint8Array | string, ...recipients: string[]): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return Buffer.from(armor.encode(await encrypter.encrypt(value)));
}

const one = await identity();
const two = await identity();

test("what the age package seals to us opens, whatever its size", async () => {
  for (const size of [0, 1, 47, 48, 65535, 65536, 65537, 140_000]) {
    const value = new Uint8Array(size).map((_, i) => (i * 31) % 251);
    const clear = await openAge(await sealed(value, two.recipient, one.recipient), one.own);
    await clear.reveal((bytes) => assert.ok(Buffer.from(value).equals(bytes), `${size} bytes`));
  }
});

test("a file for others, or for keys of another kind, is refused", async () => {
  await assert.rejects(openAge(await sealed("x", two.recipient), one.own), { code: "AGE_NOT_FOR_US" });
  const tag = "age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h";
  await openAge(await sealed("x", tag, one.recipient), one.own).then((clear) => clear.drop());
  const hybrid = await identityToRecipient(await generateHybridIdentity());
  await assert.rejects(openAge(await sealed("x", hybrid, one.recipient), one.own), { code: "AGE_MALFORMED" });
});

test("any change of header or content is refused", async () => {
  const file = Buffer.from(armor.decode(Buffer.from(await sealed("a value that nobody may change", one.recipient)).toString()));
  const codes = ["AGE_MALFORMED", "AGE_NOT_FOR_US", "AGE_CORRUPT"];
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const bent = Buffer.from(file);
      bent[at] = (bent[at] ?? 0) ^ mask;
      await assert.rejects(openAge(Buffer.from(armor.encode(bent)), one.own), (err: { code: string }) => codes.includes(err.code));
    }),
    { numRuns: 200 },
  );
  for (const cut of [1, 16, 17, 40])
    await assert.rejects(openAge(Buffer.from(armor.encode(file.subarray(0, -cut))), one.own), (err: { code: string }) =>
      codes.includes(err.code),
    );
});

test("a changed MAC or payload of a file for us is named corrupt", async () => {
  const file = Buffer.from(armor.decode(Buffer.from(await sealed("value", one.recipient)).toString()));
  const last = Buffer.from(file);
  last[last.length - 1] = (last.at(-1) ?? 0) ^ 1;
  await assert.rejects(openAge(Buffer.from(armor.encode(last)), one.own), { code: "AGE_CORRUPT" });
});

test("chunks cut at a border are noticed", async () => {
  const file = Buffer.from(armor.decode(Buffer.from(await sealed(new Uint8Array(65536 + 10), one.recipient)).toString()));
  await assert.rejects(openAge(Buffer.from(armor.encode(file.subarray(0, -26))), one.own), { code: "AGE_CORRUPT" });
});

test("armor and header are read strictly and never crash the reader", async () => {
  const text = Buffer.from(await sealed("value", one.recipient)).toString();
  readAgeFile(Buffer.from(text));
  for (const bad of [
    "",
    text.slice(1),
    `${text}\n`,
    text.replaceAll("\n", "\r\n"),
    text.replace("AGE E", "AGE  E"),
    text.replace(/\n.{64}\n/, "\n"),
    "x".repeat(300_000),
  ])
    assert.throws(() => readAgeFile(Buffer.from(bad)), { code: "AGE_MALFORMED" }, bad.slice(0, 40));
  const words = fc.constantFrom("age-encryption.org/v1\n", "-> X25519 ", "--- ", "\n", "AAAA", "-> p256tag", "A".repeat(64), " ", "é");
  fc.assert(
    fc.property(fc.array(words), (parts) => {
      assert.throws(() => readAgeFile(Buffer.from(armor.encode(Buffer.from(`age-encryption.org/v1\n${parts.join("")}`)))), {
        code: "AGE_MALFORMED",
      });
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.throws(() => readAgeFile(bytes), { code: "AGE_MALFORMED" })));
});
