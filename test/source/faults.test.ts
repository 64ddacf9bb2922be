import assert from "node:assert/strict";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openSource } from "#reconciler/source/index.ts";
import { commitTo, makeBareRepo } from "#test/support/repo.ts";
import { makeBench, openBench } from "./support.ts";

test("a transfer that is cut or has a flipped bit fails, leaves the last good revision, and a later poll repairs it", async (t) => {
  for (const fault of [
    { kind: "cut", at: 60 },
    { kind: "cut", at: 1_000 },
    { kind: "flip", at: 900 },
    { kind: "flip", at: 1_200 },
    { kind: "flip", at: 1_500 },
  ] as const) {
    const bench = await makeBench(t);
    const good = await commitTo(bench.gitdir, { files: { a: "1" } });
    const source = await openBench(bench, "http");
    await source.poll();
    const noise = Array.from({ length: 400 }, (_, i) => (i * 2654435761) >>> 0).join(" ");
    const next = await commitTo(bench.gitdir, { files: { a: noise } });
    bench.server.breakNext(fault);
    await assert.rejects(
      source.poll(),
      (err: { code: string }) => ["SOURCE_UNREACHABLE", "SOURCE_PACK_REFUSED", "SOURCE_NOT_GIT"].includes(err.code),
      JSON.stringify(fault),
    );
    assert.equal((await source.readTree(good)).size, 1);
    assert.deepEqual(await source.poll(), { main: next, releases: null, changed: true });
    const file = (await source.readTree(next)).get("a");
    assert.equal(Buffer.from(await source.readBlob(file?.oid ?? "")).toString(), noise);
  }
});

test("a copy whose packs rot on disk is noticed at the read and made afresh by the next poll", async (t) => {
  const bench = await makeBench(t);
  const head = await commitTo(bench.gitdir, { files: { a: "1", b: "2" } });
  await (await openBench(bench, "http")).poll();
  const packs = join(bench.folder, "copy/current/objects/pack");
  for (const name of await readdir(packs)) {
    if (!name.endsWith(".pack")) continue;
    const bytes = await readFile(join(packs, name));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await chmod(join(packs, name), 0o600);
    await writeFile(join(packs, name), bytes);
  }
  const source = await openBench(bench, "http");
  await source.poll();
  await assert.rejects(source.readTree(head), { code: "SOURCE_CORRUPT" });
  await source.poll();
  assert.equal((await source.readTree(head)).size, 2);
  assert.equal((await readdir(join(bench.folder, "copy"))).length, 2); // the new copy, and the link that names it
});

test("an object whose content is not what its id says is refused, however well-formed it is", async (t) => {
  const bench = await makeBench(t);
  const head = await commitTo(bench.gitdir, { files: { a: "1" } });
  const source = await openBench(bench, "local");
  const oid = (await source.readTree(head)).get("a")?.oid ?? "";
  const other = (await source.readTree(await commitTo(bench.gitdir, { files: { a: "2" } }))).get("a")?.oid ?? "";
  const path = (id: string): string => join(bench.gitdir, "objects", id.slice(0, 2), id.slice(2));
  await chmod(path(oid), 0o600);
  await writeFile(path(oid), await readFile(path(other)));
  await assert.rejects(source.readBlob(oid), { code: "SOURCE_CORRUPT" });
});

test("a server that hangs, refuses, is gone or sends too much is told apart", async (t) => {
  const bench = await makeBench(t, "right");
  await commitTo(bench.gitdir, { files: { a: "x".repeat(5_000) } });
  const poll = async (more: object): Promise<unknown> => (await openBench(bench, "http", more)).poll();
  await assert.rejects(poll({}), { code: "SOURCE_DENIED" });
  await assert.rejects(poll({ token: () => "wrong" }), { code: "SOURCE_DENIED" });
  await assert.rejects(poll({ token: () => "right", maxPackBytes: 200 }), { code: "SOURCE_TOO_LARGE" });
  bench.server.breakNext({ kind: "hang" });
  await assert.rejects(poll({ token: () => "right", timeoutMs: 300 }), { code: "DEADLINE_PASSED" });
  await poll({ token: async () => "right" });
  await assert.rejects(poll({ url: bench.server.url("nowhere.git"), token: () => "right" }), { code: "SOURCE_NOT_FOUND" });
  await assert.rejects(poll({ url: "http://127.0.0.1:1/fleet.git" }), { code: "SOURCE_UNREACHABLE" });
  await assert.rejects(poll({ url: join(bench.folder, "none.git") }), { code: "SOURCE_UNREACHABLE" });
});

test("a missing branch is null, never an empty desired state", async (t) => {
  const bench = await makeBench(t);
  await makeBareRepo(bench.folder, "empty.git");
  const source = await openBench(bench, "http", { url: bench.server.url("empty.git") });
  assert.deepEqual(await source.poll(), { main: null, releases: null, changed: true });
});

test("a lost state file is null, a foreign one is an error, and what was stored is read back", async (t) => {
  const bench = await makeBench(t);
  const source = await openBench(bench, "local");
  assert.equal(await source.readVerified(), null);
  await source.storeVerified({ revision: "a".repeat(40), serial: 7 });
  assert.deepEqual(await source.readVerified(), { revision: "a".repeat(40), serial: 7 });
  await rm(`${bench.stateFile}.spare`);
  for (const text of ["", "{", "null", '{"v":2}', '{"v":1,"revision":"HEAD","serial":1}', `{"v":1,"revision":"${"a".repeat(40)}"}`]) {
    await writeFile(bench.stateFile, text);
    await assert.rejects(source.readVerified(), { code: "SOURCE_STATE_BROKEN" });
  }
  await rm(bench.stateFile);
  assert.equal(await source.readVerified(), null);
});

test("URLs that can't be a source, or would carry a password into files, are refused", async () => {
  const open = (url: string): Promise<unknown> =>
    openSource({ url, gitdir: "/nonexistent/x", branch: "main", stateFile: "/nonexistent/y" });
  for (const url of ["fleet.git", "ftp://h/x", "https://user:pw@h/x", "https://token@h/x", "https://h/x?token=1", "file://host/x", ""]) {
    await assert.rejects(open(url), { code: "SOURCE_MISCONFIGURED" });
  }
  for (const url of ["ssh://git@h/x", "git@github.com:acme/fleet.git"]) await assert.rejects(open(url), { code: "SOURCE_MISCONFIGURED" });
});
