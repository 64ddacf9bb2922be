import assert from "node:assert/strict";
import { createECDH, createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { type DeviceKeyDriver, ecdhOf, kxText, spkiOf } from "#bridge/keys/index.ts";
import { LOCKED, SODIUM_CHACHA } from "#bridge/memory.ts";
import { checkPoint, openWith, pointOf, sealTo } from "#seal/hpke/index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What every driver of device keys must do. `fresh` gives a driver without keys and something that takes the key of a use away behind its
 *  back; it is called once for each test. */
export function keyContract(
  name: string,
  fresh: () => Promise<{ driver: DeviceKeyDriver; lose: (use: "kx" | "sig") => Promise<void> }>,
): void {
  test(`${name}: a key is found only after it was made, and is the same key each time`, async () => {
    const { driver } = await fresh();
    assert.equal((await driver.info()).kind, driver.kind);
    assert.equal(await driver.find("kx"), null);
    const made = await driver.generate("kx");
    assert.deepEqual(await driver.find("kx"), made);
    assert.equal(await driver.find("sig"), null);
    const point = await driver.publicKey(made);
    checkPoint(point);
    assert.deepEqual(await driver.publicKey(made), point);
    assert.deepEqual(pointOf(await kxText(driver, made)), point);
    await assert.rejects(driver.generate("kx"), { code: "KEY_USE_DENIED" });
  });

  test(`${name}: ECDH gives what the other side computes`, async () => {
    const { driver } = await fresh();
    const kx = await driver.generate("kx");
    for (let i = 0; i < 8; i++) {
      const peer = createECDH("prime256v1");
      peer.generateKeys();
      const z = await driver.ecdh(kx, new Uint8Array(peer.getPublicKey()));
      assert.deepEqual(Buffer.from(z), peer.computeSecret(await driver.publicKey(kx)));
    }
  });

  test(`${name}: what is sealed to its key opens through it`, async () => {
    const { driver } = await fresh();
    const kx = await driver.generate("kx");
    const point = await driver.publicKey(kx);
    const { enc, ct } = sealTo(point, text("info"), text("aad"), text("a value"));
    const clear = await openWith(ecdhOf(driver, kx), point, enc, text("info"), text("aad"), ct, LOCKED, SODIUM_CHACHA);
    assert.equal(await clear.reveal((bytes) => bytes.toString()), "a value");
  });

  test(`${name}: a point off the curve is refused`, async () => {
    const { driver } = await fresh();
    const kx = await driver.generate("kx");
    const point = (await driver.publicKey(kx)).slice();
    point[40] = (point[40] ?? 0) ^ 1;
    await assert.rejects(driver.ecdh(kx, point), { code: "POINT_INVALID" });
    await assert.rejects(ecdhOf(driver, kx)(point), { code: "POINT_INVALID" });
  });

  test(`${name}: signatures are r and s of 32 bytes and verify`, async () => {
    const { driver } = await fresh();
    const sig = await driver.generate("sig");
    const key = createPublicKey({ key: Buffer.from(spkiOf(await driver.publicKey(sig))), format: "der", type: "spki" });
    for (const message of [text(""), text("a checkpoint"), new Uint8Array(5000)]) {
      const rs = await driver.sign(sig, message);
      assert.equal(rs.length, 64);
      assert.ok(verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, rs));
    }
  });

  test(`${name}: each key does one thing only`, async () => {
    const { driver } = await fresh();
    const kx = await driver.generate("kx");
    const sig = await driver.generate("sig");
    await assert.rejects(driver.sign(kx, text("x")), { code: "KEY_USE_DENIED" });
    await assert.rejects(driver.ecdh(sig, await driver.publicKey(kx)), { code: "KEY_USE_DENIED" });
  });

  test(`${name}: a key that was lost or destroyed is gone`, async () => {
    const { driver, lose } = await fresh();
    const kx = await driver.generate("kx");
    const sig = await driver.generate("sig");
    assert.deepEqual(await driver.attest(sig, new Uint8Array(32)).then(Array.isArray), true);
    await lose("sig");
    await assert.rejects(driver.sign(sig, text("x")), { code: "KEY_GONE" });
    await assert.rejects(driver.attest(sig, new Uint8Array(32)), { code: "KEY_GONE" });
    await driver.destroy(kx);
    await assert.rejects(driver.publicKey(kx), { code: "KEY_GONE" });
    await assert.rejects(driver.destroy(kx), { code: "KEY_GONE" });
    await driver.generate("kx");
  });
}
