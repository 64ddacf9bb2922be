import assert from "node:assert/strict";
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { test } from "node:test";
import { fromBase64 } from "#base/canonical/index.ts";
import { ENVELOPE_INFO } from "#seal/envelope/index.ts";
import { pointOf, sealTo } from "#seal/hpke/index.ts";
import { printed, REF, startPlugin, until, world } from "./world.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test("unwrap opens a pack's key and nothing that was sealed as a secret", async (t) => {
  const w = await world(t);
  const { kx } = await w.bridge.ready;
  const [key, aad] = [randomBytes(32), utf8("pack")];
  const pack = sealTo(pointOf(kx), utf8("mooring/pack/v1"), aad, key);
  assert.deepEqual(Buffer.from(await w.bridge.unwrap({ ...pack, aad })), key);
  const secret = w.envelope(utf8("correct horse"));
  const [enc, binding, ct] = [secret.enc, secret.aad, secret.ct].map((text) => fromBase64(text, "test")) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  await assert.rejects(w.bridge.unwrap({ enc, aad: binding, ct }), { code: "SEAL_UNOPENED" });
  await assert.rejects(w.bridge.unwrap({ ...sealTo(pointOf(kx), ENVELOPE_INFO, aad, key), aad }), { code: "SEAL_UNOPENED" });
});

test("sign signs under its own prefix, so never a checkpoint", async (t) => {
  const w = await world(t);
  const { sig } = await w.bridge.ready;
  const bytes = utf8("mooring/acme/mini-01/1\n0\n");
  const key = createPublicKey({ key: Buffer.from(fromBase64(sig, "sig")), format: "der", type: "spki" });
  const good = await w.bridge.sign(bytes);
  const holds = (message: Uint8Array): boolean => verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, good);
  assert.deepEqual([holds(Buffer.concat([utf8("mooring/attest/v1\n"), bytes])), holds(bytes)], [true, false]);
});

test("the keys stay the same over restarts, and a lost one is not silently made anew", async (t) => {
  const w = await world(t);
  const first = await w.bridge.ready;
  await w.bridge.state(w.state());
  await w.bridge.close();
  const again = w.fork();
  assert.deepEqual([(await again.ready).kx, (await again.ready).sig], [first.kx, first.sig]);
  await again.close();
  rmSync(`${w.dir}/keys/sig.key`);
  await assert.rejects(w.fork().ready, { code: "BRIDGE_GONE" });
  await until(() => w.exits.length === 3, "its end");
});

test("a socket that is gone before the bridge has it is said so", async (t) => {
  const w = await world(t);
  await assert.rejects(w.bridge.attach("mail" as never, 1, `sha256:${"0".repeat(64)}`, new Socket().destroy()), {
    code: "BRIDGE_NO_SOCKET",
  });
});

test("the bridge runs under a uid of its own, and a plugin's socket crosses over", { skip: process.getuid?.() !== 0 }, async (t) => {
  const w = await world(t, 65_533);
  await w.provision(utf8("correct horse"));
  assert.match(readFileSync(`/proc/${w.bridge.pid}/status`, "utf8"), /^Uid:\t65533\t65533/m);
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF])), /got/);
});
