/** kill -9 at the durable steps of a first download, a fetch and a compaction: what was good stays good without the network, and the next poll goes on. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { exists } from "#reconciler/source/exists.ts";
import type { Source } from "#reconciler/source/index.ts";
import { commitTo } from "#test/support/repo.ts";
import { type Bench, makeBench, openBench } from "./support.ts";

const POLLER = join(import.meta.dirname, "killed.ts");

async function runPoller(bench: Bench, env: NodeJS.ProcessEnv, packs: number): Promise<NodeJS.Signals | null> {
  const args = [POLLER, bench.server.url("fleet.git"), join(bench.folder, "copy"), bench.stateFile, String(packs)];
  const child = spawn(process.execPath, args, { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "ignore", "inherit"] });
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  assert.ok(code === 0 || signal === "SIGKILL", `the poller ended with ${code ?? signal ?? ""}`);
  return signal;
}

async function textAt(source: Source, commit: string): Promise<string> {
  const oid = (await source.readTree(commit)).get("a")?.oid ?? "";
  return Buffer.from(await source.readBlob(oid)).toString();
}

/** Kills the poller before its first durable step, and each `stride`th after it, each time from the same state on disk. */
async function killAtEach(t: TestContext, bench: Bench, packs: number, stride: number, check: () => Promise<void>): Promise<void> {
  const kept = ["copy", "state"];
  const move = async (from: string, to: string): Promise<void> => {
    for (const name of kept) {
      await rm(join(to, name), { recursive: true, force: true });
      if (await exists(join(from, name))) await cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true });
    }
  };
  const before = join(bench.folder, "before");
  await move(bench.folder, before);
  const trace = join(bench.folder, "trace");
  await runPoller(bench, { MOORING_FAULT_TRACE: trace }, packs);
  const steps = (await readFile(trace, "utf8")).trim().split("\n");
  t.diagnostic(`${steps.length} steps`);
  for (let step = 1; step <= steps.length; step += stride) {
    await move(before, bench.folder);
    assert.equal(await runPoller(bench, { MOORING_FAULT_AT: String(step) }, packs), "SIGKILL", steps[step - 1]);
    await check();
  }
}

async function leftovers(bench: Bench): Promise<readonly string[]> {
  const names = await readdir(join(bench.folder, "copy"), { recursive: true });
  const copies = names.filter((name) => /^copy-[^/]*$/.test(name));
  return [...names.filter((name) => /tmp/.test(name) && !name.includes("mooring.json.")), ...copies.slice(1)]; // a note half written goes after an hour
}

test("killed in a first download: the next start is a first start", async (t) => {
  const bench = await makeBench(t);
  const head = await commitTo(bench.gitdir, { files: { a: "1" } });
  await killAtEach(t, bench, 60, 3, async () => {
    const source = await openBench(bench, "http");
    await source.poll();
    assert.equal(await textAt(source, head), "1");
    assert.deepEqual(await leftovers(bench), []);
  });
});

test("killed in a fetch: the copy holds the revision of before, and the next poll the new one", async (t) => {
  const bench = await makeBench(t);
  const good = await commitTo(bench.gitdir, { files: { a: "1" } });
  await runPoller(bench, {}, 60);
  const head = await commitTo(bench.gitdir, { files: { a: "2" } });
  await killAtEach(t, bench, 60, 2, async () => {
    const source = await openBench(bench, "http");
    assert.equal(await textAt(source, good), "1");
    await source.poll();
    assert.equal(await textAt(source, head), "2");
    assert.deepEqual(await leftovers(bench), []);
  });
});

test("killed in a compaction: the old copy or the new one is there, whole", async (t) => {
  const bench = await makeBench(t);
  const good = await commitTo(bench.gitdir, { files: { a: "1" } });
  await runPoller(bench, {}, 60);
  const head = await commitTo(bench.gitdir, { files: { a: "2" } });
  await killAtEach(t, bench, 0, 3, async () => {
    const source = await openBench(bench, "http");
    assert.equal(await textAt(source, good), "1");
    await source.poll();
    assert.equal(await textAt(source, head), "2");
    assert.deepEqual(await leftovers(bench), []);
  });
});
