import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { canonBytes, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { framed, unframed } from "#base/frames/index.ts";
import { openPack, PACK_INFO, type PackBlob, sealPack, type Unwrap } from "./index.ts";
import { openWith, recipientOf } from "#seal/hpke/index.ts";

const ecdh = createECDH("prime256v1");
ecdh.generateKeys();
const point = new Uint8Array(ecdh.getPublicKey());
const mine = { fleet: "acme", machine: "mini-01", kx: recipientOf(point) };
const unwrap: Unwrap = (enc, aad, ct) => openWith(async (peer) => new Uint8Array(ecdh.computeSecret(peer)), point, enc, PACK_INFO, aad, ct);

const blobs: PackBlob[] = [
  { tgz: new Uint8Array(150_000).fill(1), bundleJson: new TextEncoder().encode("{}") },
  { tgz: new Uint8Array(10).fill(2), bundleJson: new Uint8Array(0) },
];
const pack = sealPack(mine, blobs);

test("a pack opens on its machine, and its digest names its bytes", async () => {
  assert.equal(pack.digest, digestOf(pack.bytes));
  assert.deepEqual(await openPack(pack.bytes, unwrap, mine), blobs);
  assert.deepEqual(await openPack(sealPack(mine, []).bytes, unwrap, mine), []);
  assert.notEqual(sealPack(mine, blobs).digest, pack.digest);
});

test("a pack for another machine, fleet or key is refused before anything is opened", async () => {
  const never: Unwrap = () => assert.fail("unwrapped");
  const otherKey = createECDH("prime256v1");
  const kx = recipientOf(new Uint8Array(otherKey.generateKeys()));
  for (const change of [{ fleet: "other" }, { machine: "mini-02" }, { kx }])
    await assert.rejects(openPack(pack.bytes, never, { ...mine, ...change }), { code: "PACK_NOT_OURS" });
});

test("the binding is authenticated: a header with another list of blobs does not unwrap", async () => {
  const [header, stream] = unframed(pack.bytes) as [Uint8Array, Uint8Array];
  const json = JSON.parse(new TextDecoder().decode(header)) as { aad: string };
  const aad = JSON.parse(Buffer.from(json.aad, "base64").toString()) as { blobs: unknown[] };
  aad.blobs = aad.blobs.slice(1);
  json.aad = Buffer.from(canonBytes(aad)).toString("base64");
  await assert.rejects(openPack(framed(canonBytes(json), stream), unwrap, mine), { code: "SEAL_UNOPENED" });
});

test("a stream of another pack, a wrong file key, or contents unlike the header are refused", async () => {
  const [header, stream] = unframed(pack.bytes) as [Uint8Array, Uint8Array];
  const other = unframed(sealPack(mine, blobs).bytes)[1] as Uint8Array;
  await assert.rejects(openPack(framed(header, other), unwrap, mine), { code: "STREAM_CORRUPT" });
  await assert.rejects(
    openPack(framed(header, stream), async () => new Uint8Array(32), mine),
    { code: "STREAM_CORRUPT" },
  );
  await assert.rejects(
    openPack(framed(header, stream), async () => new Uint8Array(31), mine),
    { code: "PACK_MALFORMED" },
  );
  await assert.rejects(openPack(framed(header), unwrap, mine), { code: "PACK_MALFORMED" });
  await assert.rejects(openPack(framed(header, stream, stream), unwrap, mine), { code: "PACK_MALFORMED" });
});

test("any flipped byte of a pack gives one of our errors", async () => {
  const small = sealPack(mine, [{ tgz: Uint8Array.of(1, 2, 3), bundleJson: Uint8Array.of(4) }]);
  await fc.assert(
    fc.asyncProperty(fc.nat(small.bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const bytes = small.bytes.slice();
      bytes[at] = (bytes[at] as number) ^ flip;
      await assert.rejects(openPack(bytes, unwrap, mine), (err) => err instanceof MooringError);
    }),
    { numRuns: 200 },
  );
});
