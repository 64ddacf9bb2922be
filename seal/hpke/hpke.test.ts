import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { test } from "node:test";
import { Aes128Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core";
import * as fc from "fast-check";
import { Cleartext, type SecureMemory } from "#seal/cleartext/index.ts";
import { AES_128_GCM, CHACHA20_POLY1305, openWith, sealTo } from "./index.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** RFC 9180 appendix A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0. */
const RFC = {
  info: hex("4f6465206f6e2061204772656369616e2055726e"),
  skE: hex("4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb"),
  skR: hex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"),
  pkR: hex(
    "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0",
  ),
  enc: hex(
    "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
  ),
  aad: hex("436f756e742d30"),
  pt: hex("4265617574792069732074727574682c20747275746820626561757479"),
  ct: hex("5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434"),
};

function keyPair(secret?: Uint8Array) {
  const key = createECDH("prime256v1");
  if (secret === undefined) key.generateKeys();
  else key.setPrivateKey(secret);
  const asked: Uint8Array[] = [];
  const ecdh = async (peer: Uint8Array): Promise<Uint8Array> => {
    asked.push(peer);
    return key.computeSecret(peer);
  };
  const scalar = key.getPrivateKey(); // one in 256 is shorter than 32 bytes: leading zeros are left out
  return {
    point: new Uint8Array(key.getPublicKey()),
    secret: new Uint8Array(Buffer.concat([Buffer.alloc(32 - scalar.length), scalar])),
    ecdh,
    asked,
  };
}

function heapMemory(): SecureMemory & { readonly live: Set<Buffer>; readonly dead: Buffer[] } {
  const live = new Set<Buffer>();
  const dead: Buffer[] = [];
  return {
    live,
    dead,
    alloc(size) {
      const buffer = Buffer.alloc(size);
      live.add(buffer);
      return buffer;
    },
    zero: (buffer) => void buffer.fill(0),
    free(buffer) {
      buffer.fill(0);
      assert.ok(live.delete(buffer));
      dead.push(buffer);
    },
  };
}

test("the vector of RFC 9180 A.3 seals to its bytes and opens again", async () => {
  const own = keyPair(RFC.skR);
  assert.deepEqual(own.point, RFC.pkR);
  const sealed = sealTo(RFC.pkR, RFC.info, RFC.aad, RFC.pt, { aead: AES_128_GCM, rng: () => RFC.skE });
  assert.deepEqual(sealed.enc, RFC.enc);
  assert.deepEqual(sealed.ct, RFC.ct);
  assert.deepEqual(await openWith(own.ecdh, own.point, RFC.enc, RFC.info, RFC.aad, RFC.ct, undefined, AES_128_GCM), RFC.pt);
});

test("what we seal @hpke/core opens, and the other way round", async () => {
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  const own = keyPair();
  const info = utf8("an info");
  const aad = utf8("an aad");
  const plain = utf8("to be or not to be");
  assert.equal(keyPair(hex(`00${"11".repeat(31)}`)).secret.length, 32);
  const privateKey = await suite.kem.importKey("raw", own.secret.slice().buffer, false);
  const publicKey = await suite.kem.importKey("raw", own.point.slice().buffer, true);

  const ours = sealTo(own.point, info, aad, plain, { aead: AES_128_GCM });
  const recipient = await suite.createRecipientContext({ recipientKey: privateKey, enc: ours.enc, info });
  assert.deepEqual(new Uint8Array(await recipient.open(ours.ct, aad)), plain);

  const sender = await suite.createSenderContext({ recipientPublicKey: publicKey, info });
  const ct = new Uint8Array(await sender.seal(plain, aad));
  assert.deepEqual(await openWith(own.ecdh, own.point, new Uint8Array(sender.enc), info, aad, ct, undefined, AES_128_GCM), plain);
});

test("any message opens for its key and for nothing that differs by one bit", async () => {
  const own = keyPair();
  const part = fc.uint8Array({ maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      part,
      part,
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(),
      fc.constantFrom("ct", "aad", "info"),
      async (info, aad, plain, at, which) => {
        const { enc, ct } = sealTo(own.point, info, aad, plain);
        assert.deepEqual(await openWith(own.ecdh, own.point, enc, info, aad, ct), plain);
        const parts = { ct, aad, info };
        const bent = flip(parts[which], at);
        const bad = { ...parts, [which]: bent };
        await assert.rejects(openWith(own.ecdh, own.point, enc, bad.info, bad.aad, bad.ct), { code: "SEAL_UNOPENED" });
      },
    ),
    { numRuns: 40 },
  );
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(1);
  const out = bytes.slice();
  const i = at % out.length;
  out[i] = (out[i] ?? 0) ^ (1 << (at % 8));
  return out;
}

test("another key, another enc and a cut message do not open", async () => {
  const own = keyPair();
  const other = keyPair();
  const { enc, ct } = sealTo(own.point, RFC.info, RFC.aad, RFC.pt);
  await assert.rejects(openWith(other.ecdh, other.point, enc, RFC.info, RFC.aad, ct), { code: "SEAL_UNOPENED" });
  await assert.rejects(openWith(own.ecdh, own.point, other.point, RFC.info, RFC.aad, ct), { code: "SEAL_UNOPENED" });
  await assert.rejects(openWith(own.ecdh, own.point, enc, RFC.info, RFC.aad, ct.subarray(0, 15)), { code: "SEAL_UNOPENED" });
  await assert.rejects(openWith(own.ecdh, own.point, enc, RFC.info, RFC.aad, ct, undefined, AES_128_GCM), { code: "SEAL_UNOPENED" });
});

test("a point off the curve never reaches the key", async () => {
  const own = keyPair();
  const enc = own.point.slice();
  enc[64] = (enc[64] ?? 0) ^ 1;
  await assert.rejects(openWith(own.ecdh, own.point, enc, RFC.info, RFC.aad, RFC.ct), { code: "POINT_INVALID" });
  assert.equal(own.asked.length, 0);
  assert.throws(() => sealTo(enc, RFC.info, RFC.aad, RFC.pt), { code: "POINT_INVALID" });
});

test("with a memory the cleartext lies only there and goes back zeroed", async () => {
  const own = keyPair();
  const memory = heapMemory();
  const { enc, ct } = sealTo(own.point, RFC.info, RFC.aad, RFC.pt);
  const clear = await openWith(own.ecdh, own.point, enc, RFC.info, RFC.aad, ct, memory);
  assert.ok(clear instanceof Cleartext);
  assert.equal(memory.live.size, 1);
  await clear.reveal((bytes) => assert.deepEqual(new Uint8Array(bytes), RFC.pt));
  assert.equal(memory.live.size, 0);
  assert.ok(memory.dead.every((buffer) => buffer.every((byte) => byte === 0)));
  await assert.rejects(openWith(own.ecdh, own.point, enc, RFC.info, RFC.pt, ct, memory), { code: "SEAL_UNOPENED" });
  assert.equal(memory.live.size, 0);
});

test("the ECDH value is zeroed by the time the message is open", async () => {
  const own = keyPair();
  const { enc, ct } = sealTo(own.point, RFC.info, RFC.aad, RFC.pt, { aead: CHACHA20_POLY1305 });
  let z = Buffer.alloc(0);
  await openWith(async (peer) => (z = Buffer.from(await own.ecdh(peer))), own.point, enc, RFC.info, RFC.aad, ct);
  assert.deepEqual(z, Buffer.alloc(32));
});
