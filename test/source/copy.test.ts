/** Our copy of a repository elsewhere: how little it downloads, when it asks for more, how it is made anew under readers, and what a full disk does. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, mkdir, readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { isErrno } from "#base/durable/index.ts";
import { Mutex, type Source } from "#reconciler/source/index.ts";
import { branchTip, commitTo, git, mergeTo } from "#test/support/repo.ts";
import { gitBytes } from "./packs.ts";
import { type Bench, makeBench, openBench } from "./support.ts";

const run = promisify(execFile);
const noise = (n: number, words: number): string => Array.from({ length: words }, (_, i) => ((i + n * words) * 2654435761) >>> 0).join(" ");

/** `count` commits more on main, oldest first; one run of git. */
async function line(bench: Bench, count: number): Promise<readonly string[]> {
  const tip = await branchTip(bench.gitdir);
  const parts: string[] = [];
  for (let n = 0; n < count; n++) {
    const from = n === 0 && tip !== null ? `from ${tip}\n` : "";
    const text = `main ${n}`;
    parts.push(`commit refs/heads/main\ncommitter Ann <ann@example.net> ${1_790_000_000 + n} +0000\ndata 6\nchange\n${from}`);
    parts.push(`M 100644 inline n\ndata ${text.length}\n${text}\n`);
  }
  await gitBytes(bench.gitdir, ["fast-import", "--quiet"], `${parts.join("")}done\n`);
  return (await git(bench.gitdir, "rev-list", "--reverse", `--max-count=${count}`, "main")).split("\n");
}

async function textAt(source: Source, commit: string, path = "n"): Promise<string> {
  const oid = (await source.readTree(commit)).get(path)?.oid ?? "";
  return Buffer.from(await source.readBlob(oid)).toString();
}

const copyOf = (bench: Bench): string => join(bench.folder, "copy/current");

async function commitsIn(bench: Bench): Promise<number> {
  const all = await git(copyOf(bench), "cat-file", "--batch-check=%(objecttype)", "--batch-all-objects");
  return all.split("\n").filter((type) => type === "commit").length;
}

test("a first look downloads the newest commits alone, and older history comes when somebody walks there", async (t) => {
  const bench = await makeBench(t);
  const oids = await line(bench, 120);
  const release = await commitTo(bench.gitdir, { branch: "mooring/releases", files: { r: "1" }, parents: [] });
  await commitTo(bench.gitdir, { branch: "mooring/releases", files: { r: "2" } });
  const source = await openBench(bench, "http");
  await source.poll();
  assert.equal(await commitsIn(bench), 2);
  const head = oids.at(-1) ?? "";
  assert.equal(await textAt(source, head), "main 119");

  assert.deepEqual(await source.history(head, null, 30), oids.slice(-30).toReversed());
  assert.ok((await commitsIn(bench)) < 60);
  await source.checkAdvance(oids[100] ?? "", head);
  assert.ok((await commitsIn(bench)) < 60);
  assert.equal(await source.isFastForward(oids[3] ?? "", head), true);
  assert.deepEqual(await source.history(head, null, 1_000), oids.toReversed());
  assert.equal(await commitsIn(bench), 121); // the releases branch stays as short as it was
  await assert.rejects(source.readTree(release), { code: "SOURCE_OBJECT_MISSING" });
  await assert.rejects(source.history("0".repeat(40), null, 2), { code: "SOURCE_OBJECT_MISSING" });
  await git(copyOf(bench), "fsck", "--full", "--connectivity-only", head);
});

test("a server that speaks only git's old protocol gives the same: little at first, what is new, then what is older", async (t) => {
  const bench = await makeBench(t);
  bench.server.onRequest = async (request) => {
    delete request.headers["git-protocol"];
  };
  const oids = await line(bench, 60);
  await commitTo(bench.gitdir, { branch: "mooring/releases", files: { r: "1" }, parents: [] });
  const source = await openBench(bench, "http");
  await source.poll();
  assert.equal(await commitsIn(bench), 2);
  const [next = ""] = await line(bench, 1);
  assert.equal((await source.poll()).main, next);
  assert.equal(await commitsIn(bench), 3);
  await source.checkAdvance(oids[2] ?? "", next);
  assert.equal(await textAt(source, oids[2] ?? ""), "main 2");
});

test("a restarted hub asks for as much history as leads to its last verified revision", async (t) => {
  const bench = await makeBench(t);
  const oids = await line(bench, 90);
  const head = oids.at(-1) ?? "";
  const source = await openBench(bench, "http");
  await source.poll();
  await source.checkAdvance(oids[80] ?? "", head);
  assert.equal(await textAt(source, oids[80] ?? ""), "main 80");
  assert.ok((await commitsIn(bench)) < 60);
  const forced = await commitTo(bench.gitdir, { files: { n: "forced" }, parents: [] });
  await source.poll();
  await assert.rejects(source.checkAdvance(head, forced), { code: "SOURCE_NOT_FAST_FORWARD" });
  assert.equal(await textAt(source, head), "main 89");
});

test("merges of old branches are found to be what they are on a copy without their history", async (t) => {
  const bench = await makeBench(t);
  const oids = await line(bench, 70);
  const source = await openBench(bench, "http");
  await source.poll();
  const head = oids.at(-1) ?? "";
  const side = await commitTo(bench.gitdir, { branch: "side", parents: [oids[5] ?? ""], files: { side: "1" } });
  const merge = await mergeTo(bench.gitdir, "main", head, side);
  assert.equal((await source.poll()).main, merge);
  await source.checkAdvance(head, merge);
  assert.deepEqual(
    (await source.diffTrees(head, merge)).map(({ path }) => path),
    ["side"],
  );
  assert.equal(await source.isFastForward(oids[5] ?? "", side), true);
});

test("a copy that has grown is made anew while it is read; the old one goes when its last reader has", async (t) => {
  const bench = await makeBench(t);
  const [first = ""] = await line(bench, 1);
  const source = await openBench(bench, "http", { compactAt: { packs: 3, bytes: 1 << 30 } });
  await source.poll();
  await source.storeVerified({ revision: first, serial: 1 });
  const before = await readlink(copyOf(bench));
  const gate = Promise.withResolvers<void>();
  const reading = source.withObjects(async (objects) => {
    await gate.promise;
    return Buffer.from(await objects.blob((await objects.tree((await objects.commit(first)).tree))[0]?.oid ?? "")).toString();
  });
  for (let n = 1; n <= 4; n++) {
    await commitTo(bench.gitdir, { files: { n: `main ${n}` } });
    await source.poll();
  }
  const after = await readlink(copyOf(bench));
  assert.notEqual(after, before);
  assert.deepEqual((await readdir(join(bench.folder, "copy"))).toSorted(), [before, after, "current"].toSorted());
  assert.ok((await readdir(join(copyOf(bench), "objects/pack"))).length <= 6); // its own, what led to the revision in force, and one more commit; each with its index
  gate.resolve();
  assert.equal(await reading, "main 0");
  assert.deepEqual((await readdir(join(bench.folder, "copy"))).toSorted(), [after, "current"].toSorted());
  assert.equal(await textAt(source, first), "main 0"); // the revision in force came along
  await source.checkAdvance(first, (await branchTip(bench.gitdir)) ?? "");
});

test("a compaction keeps the revision in force where the server has none of it left", async (t) => {
  const bench = await makeBench(t);
  const [good = ""] = await line(bench, 1);
  const source = await openBench(bench, "http", { compactAt: { packs: 1, bytes: 1 << 30 } });
  await source.poll();
  await source.storeVerified({ revision: good, serial: 1 });
  const forced = await commitTo(bench.gitdir, { files: { n: "forced" }, parents: [] });
  await git(bench.gitdir, "gc", "--prune=now", "--quiet");
  const before = await readlink(copyOf(bench));
  assert.equal((await source.poll()).main, forced);
  assert.notEqual(await readlink(copyOf(bench)), before);
  assert.equal(await textAt(source, good), "main 0");
  await assert.rejects(source.checkAdvance(good, forced), { code: "SOURCE_NOT_FAST_FORWARD" });
});

test("a compaction that fails costs nothing: the old copy serves on, and somebody is told", async (t) => {
  const bench = await makeBench(t);
  await line(bench, 1);
  const told: string[] = [];
  const onSetback = (err: { readonly code: string }): number => told.push(err.code);
  const source = await openBench(bench, "http", { compactAt: { packs: 1, bytes: 1 << 30 }, onSetback });
  await source.poll();
  const [head = ""] = await line(bench, 1);
  let packs = 0;
  bench.server.onRequest = async (request) => {
    if (request.method === "POST" && ++packs === 3) bench.server.breakNext({ kind: "cut", at: 100 }); // refs, one commit, then the new copy
  };
  assert.equal((await source.poll()).main, head);
  assert.equal(told.length, 1);
  assert.equal(await textAt(source, head), "main 0");
});

test("two sources on one folder see what the other fetched", async (t) => {
  const bench = await makeBench(t);
  await line(bench, 1);
  const ours = await openBench(bench, "http");
  const { main } = await ours.poll();
  const pr = await commitTo(bench.gitdir, { branch: "pr", parents: [main ?? ""], files: { n: "pr" } });
  const other = await openBench(bench, "http", { branch: "pr", compactAt: null });
  assert.equal((await other.poll()).main, pr);
  assert.equal(await textAt(ours, pr), "pr");
  assert.equal(await ours.isFastForward(main ?? "", pr), true);
});

test("where others share the folder, a first copy is made once, and one that was replaced stays for whoever still reads it", async (t) => {
  const bench = await makeBench(t);
  const [first = ""] = await line(bench, 1);
  const shared = { turns: new Mutex() };
  const ours = await openBench(bench, "http", shared); // both open before there is a copy
  const other = await openBench(bench, "http", { ...shared, compactAt: { packs: 1, bytes: 1 << 30 } });
  await ours.poll();
  const before = await readlink(copyOf(bench));
  await other.poll();
  assert.equal(await readlink(copyOf(bench)), before);
  for (let n = 1; n <= 3; n++) {
    await commitTo(bench.gitdir, { files: { n: `main ${n}` } });
    await other.poll();
  }
  assert.notEqual(await readlink(copyOf(bench)), before);
  assert.equal(await textAt(ours, first), "main 0"); // from a copy that is no longer the one in use
  await openBench(bench, "http", shared); // sweeps, and leaves what is young
  assert.equal(await textAt(ours, first), "main 0");
});

/** A disk of 1 MB; null without the right to mount one. */
async function tinyDisk(folder: string): Promise<(() => Promise<void>) | null> {
  await mkdir(folder);
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder]);
  } catch {
    return null;
  }
  return async () => void (await run("umount", ["-l", folder]));
}

test("a full disk is said, leaves the last good revision and no half files, and is over when there is room", async (t) => {
  const bench = await makeBench(t);
  const disk = join(bench.folder, "disk");
  const unmount = await tinyDisk(disk);
  if (unmount === null) {
    t.diagnostic("only root may mount a small disk: not run");
    return;
  }
  try {
    await fillAndRecover(bench, disk);
  } finally {
    await unmount();
  }
});

async function fillAndRecover(bench: Bench, disk: string): Promise<void> {
  const [good = ""] = await line(bench, 1);
  const stateFile = join(disk, "state/verified.json");
  const source = await openBench(bench, "http", { gitdir: join(disk, "copy"), stateFile });
  await source.poll();
  await source.storeVerified({ revision: good, serial: 1 });
  const head = await commitTo(bench.gitdir, { files: { n: noise(1, 20_000) } });
  await fill(join(disk, "filler"));
  await assert.rejects(source.poll(), { code: "SOURCE_STORE_FAILED" });
  await assert.rejects(source.storeVerified({ revision: head, serial: 2 }), { code: "SOURCE_STORE_FAILED" });
  assert.equal(await textAt(source, good), "main 0");
  assert.deepEqual(await source.readVerified(), { revision: good, serial: 1 });
  const left = (await readdir(disk, { recursive: true })).filter((name) => /tmp/.test(name));
  assert.deepEqual(left, []);
  await rm(join(disk, "filler"));
  assert.equal((await source.poll()).main, head);
  assert.equal(await textAt(source, head), noise(1, 20_000));
}

async function fill(path: string): Promise<void> {
  for (let size = 1 << 19; size >= 512; size >>= 1) {
    try {
      await appendFile(path, Buffer.alloc(size, 1));
    } catch (err) {
      assert.ok(isErrno(err, "ENOSPC"));
    }
  }
}
