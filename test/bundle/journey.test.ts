import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { unpackInChild } from "#bundle/read/index.ts";
import { openPack, PACK_INFO, sealPack } from "#bundle/sealed/index.ts";
import { checkTree } from "#bundle/statement/index.ts";
import { verifyPlugin } from "#proof/sigstore/index.ts";
import { openWith, recipientOf } from "#seal/hpke/index.ts";
import { makeKey, signedPlugin } from "./support.ts";

test("a bundle's way: packed, signed, sealed to a machine, opened, verified, unpacked in a child, held against the signed list", async () => {
  const signed = await signedPlugin(makeKey());
  const ecdh = createECDH("prime256v1");
  const point = new Uint8Array(ecdh.generateKeys());
  const mine = { fleet: "acme", machine: "mini-01", kx: recipientOf(point) };
  const pack = sealPack(mine, [{ tgz: signed.packed.tgz, bundleJson: signed.bundleJson }]);

  const unwrap = (enc: Uint8Array, aad: Uint8Array, ct: Uint8Array): Promise<Uint8Array> =>
    openWith(async (peer) => new Uint8Array(ecdh.computeSecret(peer)), point, enc, PACK_INFO, aad, ct);
  const [blob] = await openPack(pack.bytes, unwrap, mine);
  assert.ok(blob !== undefined);
  const statement = verifyPlugin(blob, signed.want);
  const files = await unpackInChild(
    { exec: process.execPath, args: [fileURLToPath(import.meta.resolve("#bundle/read/child.ts"))] },
    blob.tgz,
  );
  checkTree(statement, files);
  assert.equal(statement.tree, signed.packed.tree);
});
