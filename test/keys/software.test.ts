import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { keyError, softwareDriver } from "#bridge/keys/index.ts";
import { keyContract } from "./contract.ts";

const made: string[] = [];
after(() => Promise.all(made.map((dir) => rm(dir, { recursive: true }))));

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "mk-"));
  made.push(dir);
  return join(dir, "keys");
}

keyContract("software", async () => {
  const dir = await folder();
  return { driver: softwareDriver({ dir, allowSoftwareKeys: true }), lose: (use) => unlink(join(dir, `${use}.key`)) };
});

test("software keys need the opt-in", () => {
  assert.throws(() => softwareDriver({ dir: "/nowhere", allowSoftwareKeys: false }), { code: "KEY_USE_DENIED" });
});

test("a software key is a file that only its user reads, and one that others may read is not used", async () => {
  const dir = await folder();
  const driver = softwareDriver({ dir, allowSoftwareKeys: true });
  const sig = await driver.generate("sig");
  const file = join(dir, "sig.key");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(dir)).mode & 0o777, 0o700);
  await chmod(file, 0o640);
  await assert.rejects(driver.sign(sig, new Uint8Array(1)), { code: "KEY_UNAVAILABLE" });
  await writeFile(file, "short", { mode: 0o600 });
  await chmod(file, 0o600);
  await assert.rejects(driver.sign(sig, new Uint8Array(1)), { code: "KEY_UNAVAILABLE" });
});

test("each fault of a driver has its own code, so that the queue knows what to do", () => {
  const codes = (["locked", "gone", "presence", "unavailable", "denied"] as const).map((fault) => keyError(fault, "kx", "why").code);
  assert.deepEqual(codes, ["DEVICE_LOCKED", "KEY_GONE", "USER_PRESENCE_REQUIRED", "KEY_UNAVAILABLE", "KEY_USE_DENIED"]);
});
