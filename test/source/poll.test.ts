import assert from "node:assert/strict";
import { test } from "node:test";
import { branchTip, commitTo, git } from "#test/support/repo.ts";
import { makeBench, openBench } from "./support.ts";

const manyFiles = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`machines/site-${i % 10}/m-${i}.yaml`, `kind: Machine\nname: m-${i}\nkey: ${i * 7919}\n`]),
  );

test("an unchanged poll only lists references, and a one-file commit downloads a few kB", async (t) => {
  const bench = await makeBench(t);
  const first = await commitTo(bench.gitdir, { files: manyFiles(500) });
  const source = await openBench(bench, "http");
  assert.deepEqual(await source.poll(), { main: first, releases: null, changed: true });
  assert.equal((await source.readTree(first)).size, 500);

  bench.server.served.length = 0;
  assert.deepEqual(await source.poll(), { main: first, releases: null, changed: false });
  assert.equal(bench.server.served.length, 2);
  assert.ok(bench.server.served.every(({ received, sent }) => received + sent < 1_000));

  for (let n = 0; n < 3; n++) {
    const next = await commitTo(bench.gitdir, { files: { "machines/site-1/m-1.yaml": `kind: Machine\nname: changed-${n}\n` } });
    bench.server.served.length = 0;
    assert.deepEqual(await source.poll(), { main: next, releases: null, changed: true });
    assert.ok(bench.server.served.reduce((sum, { sent }) => sum + sent, 0) < 8_000, JSON.stringify(bench.server.served));
    assert.deepEqual(
      (await source.diffTrees(first, next)).map(({ path }) => path),
      ["machines/site-1/m-1.yaml"],
    );
  }
});

test("a copy from an earlier run is used, and both branches are followed", async (t) => {
  const bench = await makeBench(t);
  const main = await commitTo(bench.gitdir, { files: { "fleet.yaml": "kind: Fleet\n" } });
  const releases = await commitTo(bench.gitdir, { branch: "mooring/releases", files: { a: "b" }, parents: [] });
  await commitTo(bench.gitdir, { branch: "main-old", files: { x: "y" }, parents: [] });
  assert.deepEqual(await (await openBench(bench, "http")).poll(), { main, releases, changed: true });
  bench.server.served.length = 0;
  const again = await openBench(bench, "http");
  assert.deepEqual(await again.poll(), { main, releases, changed: true });
  assert.equal(bench.server.served.length, 2);
  const file = (await again.readTree(main)).get("fleet.yaml");
  assert.equal(Buffer.from(await again.readBlob(file?.oid ?? "")).toString(), "kind: Fleet\n");
});

test("a force push is refused, names the last verified commit, and the revision in force stays readable", async (t) => {
  for (const kind of ["http", "local"] as const) {
    const bench = await makeBench(t);
    const good = await commitTo(bench.gitdir, { files: { a: "1" } });
    const source = await openBench(bench, kind, { gitdir: `${bench.folder}/${kind}` });
    await source.poll();
    await source.storeVerified({ revision: good, serial: 3 });
    const next = await commitTo(bench.gitdir, { files: { a: "2" } });
    await source.poll();
    await source.checkAdvance(good, next);
    assert.equal(await source.isFastForward(good, next), true);
    const forced = await commitTo(bench.gitdir, { files: { a: "3" }, parents: [] });
    assert.equal((await source.poll()).main, forced);
    await assert.rejects(source.checkAdvance(good, forced), {
      code: "SOURCE_NOT_FAST_FORWARD",
      message: `main is at commit ${forced.slice(0, 12)} by Ann <ann@example.net>`,
      have: good,
    });
    assert.deepEqual(await source.readVerified(), { revision: good, serial: 3 });
    assert.equal((await source.readTree(good)).size, 1);
  }
});

test("history follows first parents, newest first, down to a commit", async (t) => {
  const bench = await makeBench(t);
  const oids: string[] = [];
  for (let n = 0; n < 5; n++) oids.unshift(await commitTo(bench.gitdir, { files: { n: String(n) } }));
  const source = await openBench(bench, "local");
  assert.deepEqual(await source.history(oids[0] ?? "", oids[3] ?? "", 10), oids.slice(0, 3));
  assert.deepEqual(await source.history(oids[0] ?? "", null, 2), oids.slice(0, 2));
  await assert.rejects(source.history("0".repeat(40), null, 2), { code: "SOURCE_OBJECT_MISSING" });
});

test("a local repository hints at every change, also after its references were packed", async (t) => {
  const bench = await makeBench(t);
  const first = await commitTo(bench.gitdir, { files: { a: "1" } });
  const source = await openBench(bench, "local");
  assert.equal((await source.poll()).main, first);
  let wake = Promise.withResolvers<void>();
  const stop = await source.watch(
    () => wake.resolve(),
    (cause) => wake.reject(cause),
  );
  const second = await commitTo(bench.gitdir, { files: { a: "2" } });
  await wake.promise;
  assert.deepEqual(await source.poll(), { main: second, releases: null, changed: true });
  wake = Promise.withResolvers();
  await git(bench.gitdir, "pack-refs", "--all", "--prune");
  await wake.promise;
  await git(bench.gitdir, "repack", "-adq");
  assert.equal((await source.poll()).main, second);
  assert.equal((await source.readTree(second)).size, 1);
  wake = Promise.withResolvers();
  const release = await commitTo(bench.gitdir, { branch: "mooring/releases", files: { b: "1" }, parents: [] });
  await wake.promise;
  assert.equal(await branchTip(bench.gitdir, "mooring/releases"), release);
  await stop?.();
});

test("symbolic links, submodules, deep folders and hostile names are refused by path", async (t) => {
  const bench = await makeBench(t);
  const source = await openBench(bench, "local");
  const link = await commitTo(bench.gitdir, { files: { "machines/x.yaml": { mode: "120000", content: "/etc/passwd" } }, parents: [] });
  await assert.rejects(source.readTree(link), {
    code: "SOURCE_TREE_REFUSED",
    message: `commit ${link.slice(0, 12)} by Ann <ann@example.net>: "machines/x.yaml"`,
    have: "machines/x.yaml",
  });
  const deep = await commitTo(bench.gitdir, { files: { [`${"d/".repeat(13)}f`]: "x" }, parents: [] });
  await assert.rejects(source.readTree(deep), { code: "SOURCE_TREE_REFUSED" });
  const slash = await commitTo(bench.gitdir, { files: { "a\\b": "x" }, parents: [] });
  await assert.rejects(source.readTree(slash), { code: "SOURCE_TREE_REFUSED" });
  const many = await commitTo(bench.gitdir, {
    files: Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [`f${i}`, ""])),
    parents: [],
  });
  await assert.rejects(source.readTree(many), { code: "SOURCE_TREE_REFUSED" });
});
