/** Bits that flip on the hub's own disk, in every file it keeps: noticed before anything wrong is believed, and repaired by the next poll. */
import assert from "node:assert/strict";
import { chmod, lstat, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Source } from "#reconciler/source/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { commitTo } from "#test/support/repo.ts";
import { makeBench, openBench } from "./support.ts";

const noise = (n: number): string => Array.from({ length: 40 }, (_, i) => ((i + n * 40) * 2654435761) >>> 0).join(" ");

/** Path → text of everything in `commit`; null when the copy said that it is broken. */
async function contentOf(source: Source, commit: string): Promise<Record<string, string> | null> {
  try {
    const found: Record<string, string> = {};
    for (const [path, { oid }] of await source.readTree(commit)) found[path] = Buffer.from(await source.readBlob(oid)).toString();
    return found;
  } catch (err) {
    if (hasCode(err, "SOURCE_CORRUPT")) return null;
    throw err;
  }
}

async function flip(path: string, at: number, bit: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
  await chmod(path, 0o600);
  await writeFile(path, bytes);
}

test("a flipped bit in any file of the copy is never believed, and the next poll repairs it", async (t) => {
  const bench = await makeBench(t);
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`machines/m-${i}.yaml`, noise(i)]));
  await commitTo(bench.gitdir, { files });
  await (await openBench(bench, "http")).poll();
  const changed = { ...files, "machines/m-3.yaml": `${noise(3)} changed` };
  const head = await commitTo(bench.gitdir, { files: { "machines/m-3.yaml": `${noise(3)} changed` } });
  await (await openBench(bench, "http")).poll(); // a second pack, of deltas

  const anyFlip = fc.record({ file: fc.nat(), at: fc.nat(), bit: fc.nat(7) });
  await fc.assert(
    fc.asyncProperty(anyFlip, async ({ file, at, bit }) => {
      const root = join(bench.folder, "copy/current");
      const names = (await readdir(root, { recursive: true })).toSorted();
      const kept: string[] = [];
      for (const name of names) if (/\.(pack|idx|json)$/.test(name)) kept.push(join(root, name));
      const target = kept[file % kept.length] ?? "";
      await flip(target, at, bit);
      const source = await openBench(bench, "http");
      await source.poll();
      const first = await contentOf(source, head);
      if (first === null) await source.poll();
      assert.deepEqual(first ?? (await contentOf(source, head)), changed, target);
    }),
    { numRuns: 25 },
  );
});

test("files of the copy that somebody removed are missed, while it is open and when it is opened", async (t) => {
  const bench = await makeBench(t);
  const head = await commitTo(bench.gitdir, { files: { a: "1" } });
  for (const ending of ["pack", "idx", "json"]) {
    const open = await openBench(bench, "http");
    await open.poll();
    const root = join(bench.folder, "copy/current");
    for (const name of await readdir(root, { recursive: true })) if (name.endsWith(`.${ending}`)) await rm(join(root, name));
    if ((await contentOf(open, head)) === null) await open.poll(); // it may still know what it read
    assert.deepEqual(await contentOf(open, head), { a: "1" }, ending);
    const again = await openBench(bench, "http");
    await again.poll();
    assert.deepEqual(await contentOf(again, head), { a: "1" }, ending);
  }
});

test("a link that names nothing, or is none, costs one new copy", async (t) => {
  const bench = await makeBench(t);
  const head = await commitTo(bench.gitdir, { files: { a: "1" } });
  await (await openBench(bench, "http")).poll();
  const link = join(bench.folder, "copy/current");
  for (const damage of [
    () => symlink("copy-1-00ff", link),
    () => symlink("../../etc", link),
    () => writeFile(link, "copy-1-00ff"),
    () => Promise.resolve(),
  ]) {
    await rm(link);
    await damage();
    const source = await openBench(bench, "http");
    await source.poll();
    assert.deepEqual(await contentOf(source, head), { a: "1" });
    assert.ok((await lstat(link)).isSymbolicLink());
    assert.ok((await stat(link)).isDirectory());
  }
});

test("a flipped bit in the last verified record is noticed, and the spare repairs it", async (t) => {
  const bench = await makeBench(t);
  const source = await openBench(bench, "local");
  const verified = { revision: "0123456789".repeat(4), serial: 41 };
  await source.storeVerified(verified);
  const good = await readFile(bench.stateFile);
  for (let at = 0; at < good.length; at += 3) {
    await flip(bench.stateFile, at, at % 8);
    assert.deepEqual(await source.readVerified(), verified, `byte ${at}`);
    assert.deepEqual(await readFile(bench.stateFile), good);
  }
  await flip(bench.stateFile, 30, 2);
  await flip(`${bench.stateFile}.spare`, 30, 2);
  await assert.rejects(source.readVerified(), { code: "SOURCE_STATE_BROKEN" });
});

test("a local repository with a rotten object is reported, never repaired by us, and read again once it is whole", async (t) => {
  const bench = await makeBench(t);
  const head = await commitTo(bench.gitdir, { files: { a: "1" } });
  const source = await openBench(bench, "local");
  await source.poll();
  const oid = (await source.readTree(head)).get("a")?.oid ?? "";
  const path = join(bench.gitdir, "objects", oid.slice(0, 2), oid.slice(2));
  const good = await readFile(path);
  await flip(path, good.length - 2, 0);
  await assert.rejects(source.readBlob(oid), { code: "SOURCE_CORRUPT" });
  await source.poll();
  await assert.rejects(source.readBlob(oid), { code: "SOURCE_CORRUPT" });
  await writeFile(path, good);
  assert.deepEqual(await contentOf(source, head), { a: "1" });
});
