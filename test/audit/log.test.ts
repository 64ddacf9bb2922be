import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ecdsaSigner, folderReader, openLog, verifyLog } from "#bridge/log/index.ts";
import { ecdsaNoteKey } from "#proof/tlog/index.ts";
import { copyFolder, openAt, ORIGIN, place, runWriter, verifyAt } from "./support.ts";

const event = { op: "secret.open", outcome: "ok", ref: "secret://team/openai", plugin: "mail" } as const;

test("a log verifies at every size around a tile's end, and after it was opened again", async (t) => {
  const at = place(t);
  let log = await openAt(at);
  for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 700]) {
    await Promise.all(Array.from({ length: size - log.size }, () => log.append(event)));
    assert.equal((await verifyAt(at)).size, size);
    await log.close();
    log = await openAt(at);
    assert.equal(log.size, size);
  }
  await log.close();
  assert.ok(!readdirSync(join(at.dir, "tile/0")).includes("000.p"), "partial tiles go once the full one is there");
});

test("an entry carries its place, boot and time, and the index that append gave", async (t) => {
  const at = place(t);
  const log = await openAt(at);
  const got = await Promise.all([log.append(event), log.append({ op: "secret.deny", outcome: "denied", code: "LEASE_ENDED" })]);
  await log.close();
  const { entries } = await verifyAt(at);
  assert.deepEqual(
    got.map((g) => g.index),
    [0, 1],
  );
  assert.deepEqual(
    entries.map((e) => [e.seq, e.op, e.bootId, e.t, e.code]),
    [
      [0, "secret.open", "test", "1970-01-01T00:00:00.000Z", null],
      [1, "secret.deny", "test", "1970-01-01T00:00:00.000Z", "LEASE_ENDED"],
    ],
  );
});

test("a machine's log is signed with note type 0x02 and verifies by its SPKI", async (t) => {
  const at = place(t);
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = new Uint8Array(pair.publicKey.export({ format: "der", type: "spki" }));
  const signP256 = async (message: Uint8Array) =>
    new Uint8Array(sign("sha256", message, { key: pair.privateKey, dsaEncoding: "ieee-p1363" }));
  const log = await openLog({ dir: at.dir, origin: ORIGIN, signer: ecdsaSigner(ORIGIN, spki, signP256), now: Date.now });
  for (let i = 0; i < 20; i++) await log.append(event); // r and s with and without a leading zero come up
  await log.close();
  assert.equal((await verifyLog(folderReader(at.dir), ORIGIN, ecdsaNoteKey(ORIGIN, spki))).size, 20);
});

test("a flipped byte in any file that a checkpoint covers is found", async (t) => {
  const at = place(t);
  runWriter(at, 300, 60);
  const { size } = await verifyAt(at);
  for (const path of ["checkpoint", "tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]) {
    const file = join(at.dir, path);
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[bad.length >> 1] = (bad[bad.length >> 1] as number) ^ 1;
    writeFileSync(file, bad);
    await assert.rejects(verifyAt(at), (err: { code?: string }) => err.code === "AUDIT_CORRUPT", path);
    writeFileSync(file, good);
  }
  assert.equal((await verifyAt(at)).size, size);
});

test("an older copy put back is a truncation, another past is a fork", async (t) => {
  const at = place(t);
  runWriter(at, 10, 1);
  copyFolder(at.dir, `${at.dir}.old`);
  runWriter(at, 5, 1);
  const seen = await verifyAt(at);
  rmSync(at.dir, { recursive: true });
  copyFolder(`${at.dir}.old`, at.dir);
  await assert.rejects(verifyAt(at, seen), { code: "AUDIT_TRUNCATED" });
  const log = await openAt(at);
  for (let i = 0; i < 9; i++) await log.append({ ...event, plugin: "other" });
  await log.close();
  await assert.rejects(verifyAt(at, seen), { code: "AUDIT_FORKED" });
  assert.equal((await verifyAt(at, await verifyAt(at))).size, 19);
});

test("another log's checkpoint, or one of another key, is refused", async (t) => {
  const [at, other] = [place(t), place(t)];
  runWriter(at, 3, 1);
  await assert.rejects(verifyAt({ ...at, privateKey: other.privateKey }), { code: "AUDIT_CORRUPT" });
  await assert.rejects(openAt({ ...at, privateKey: other.privateKey }), { code: "AUDIT_CORRUPT" });
});

test("a journal cut below the published checkpoint, lost, or without head does not open", async (t) => {
  const at = place(t);
  runWriter(at, 5, 1);
  const journal = join(at.dir, "journal");
  const good = readFileSync(journal);
  for (const bad of [good.subarray(0, good.length - 3), good.subarray(0, 20), new Uint8Array()]) {
    writeFileSync(journal, bad);
    await assert.rejects(openAt(at), { code: "AUDIT_CORRUPT" });
  }
  rmSync(journal);
  await assert.rejects(openAt(at), { code: "AUDIT_CORRUPT" });
  writeFileSync(journal, good);
  const log = await openAt(at);
  assert.equal(log.size, 5);
  await log.close();
});

test("when the disk takes no more, append says AUDIT_UNAVAILABLE, and the log goes on once it does", async (t) => {
  const at = place(t);
  const run = runWriter(at, 60, 1, {}, 12);
  assert.ok(run.failed > 0 && run.acked.length > 0);
  const left = runWriter(at, 5, 1);
  assert.equal(left.acked.length, 5);
  const { size } = await verifyAt(at);
  assert.ok(size >= run.acked.length + 5, "nothing acknowledged is lost");
});

test("a folder that is gone or a log that is closed gives AUDIT_UNAVAILABLE", async (t) => {
  const at = place(t);
  const log = await openAt(at);
  rmSync(at.dir, { recursive: true });
  writeFileSync(at.dir, "a file where the folder was");
  await assert.rejects(log.append(event), { code: "AUDIT_UNAVAILABLE" });
  await log.close();
  await assert.rejects(log.append(event), { code: "AUDIT_UNAVAILABLE" });
});

test("killed at any step, the log reopens with all that was acknowledged", { timeout: 300_000 }, async (t) => {
  const at = place(t);
  const trace = join(mkdtempSync(join(at.keyFile, "../t-")), "trace");
  runWriter(at, 252, 64);
  copyFolder(at.dir, `${at.dir}.start`);
  runWriter(at, 6, 2, { MOORING_FAULT_TRACE: trace });
  const steps = readFileSync(trace, "utf8").trim().split("\n").length;
  assert.ok(steps > 30, `only ${steps} steps`);
  const stride = process.env["MOORING_FAULTS"] === "all" ? 1 : 5; // every one of them takes 20 s
  for (let step = 1; step <= steps; step += stride) {
    rmSync(at.dir, { recursive: true });
    copyFolder(`${at.dir}.start`, at.dir);
    const run = runWriter(at, 6, 2, { MOORING_FAULT_AT: String(step) });
    assert.equal(run.ended, false, `step ${step} was not reached`);
    const promised = 252 + run.acked.length;
    const shown = await verifyAt(at); // as a reader would find it, before anybody repairs anything
    assert.ok(shown.size >= promised, `step ${step}: ${shown.size} of ${promised} shown`);
    const log = await openAt(at);
    assert.ok(log.size >= promised && log.size <= 258, `step ${step}: ${log.size} of ${promised} reopened`);
    await log.append(event);
    await log.close();
    assert.equal((await verifyAt(at, shown)).size, log.size);
  }
});
