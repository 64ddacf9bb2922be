import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { printed, REF, startPlugin, until, world } from "./world.ts";

const skip = process.platform !== "linux";

/** Copies of the secrets in a process, counted by another program that knows them only masked. */
function copiesIn(pid: number, ...secrets: readonly Uint8Array[]): number {
  const args = secrets.flatMap((secret) => {
    const mask = randomBytes(secret.length);
    return [Buffer.from(secret.map((byte, i) => byte ^ (mask[i] as number))).toString("hex"), mask.toString("hex")];
  });
  const scan = spawnSync("python3", [join(import.meta.dirname, "scan.py"), String(pid), ...args], { encoding: "utf8" });
  assert.equal(scan.status, 0, scan.stderr);
  return Number(scan.stdout);
}

test("after delivery the bridge's memory holds no copy of a secret", { skip }, async (t) => {
  const w = await world(t);
  const secrets = [21, 51, 200, 5_000].map((size) => randomBytes(size));
  for (const [i, secret] of secrets.entries()) {
    await w.provision(secret);
    assert.match(await printed(await startPlugin(t, w, "get.ts", [REF, REF], { runSeq: i })), /got.*\ngot/);
  }
  assert.equal(copiesIn(w.bridge.pid as number, ...secrets), 0);
});

test("the scan finds a copy where there is one", { skip }, () => {
  const secret = randomBytes(200);
  assert.ok(copiesIn(process.pid, secret) >= 1);
  assert.equal(secret.length, 200);
});

test("a reader that lets a value lie loses its link, and the value is zeroed", { skip, timeout: 60_000 }, async (t) => {
  const w = await world(t);
  const secret = randomBytes(131_000);
  await w.provision(secret);
  const deaf = await startPlugin(t, w, "hostile.ts", ["deaf"]);
  await until(() => w.uses.some((use) => use.outcome === "refused" && use.code === "DEADLINE_PASSED"), "the cut", 10_000);
  assert.equal(copiesIn(w.bridge.pid as number, secret.subarray(0, 200), secret.subarray(130_000, 130_200)), 0);
  deaf.child.kill("SIGKILL");
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF, "PATIENT"], { runSeq: 2 })), /got/);
});
