/** Several commands at once on one cache folder. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { sleep } from "#base/time/index.ts";
import { fileTurns } from "#cli/fleet/turns.ts";
import { memoryOf } from "#cli/fleet/memory.ts";
import { digestOf } from "#base/canonical/index.ts";
import { CliBench } from "./bench.ts";

const MAIN = fileURLToPath(import.meta.resolve("#cli/main.ts"));

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "turn-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs mooring as a process of its own. */
function mooring(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly code: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (text += part.toString("utf8")));
    child.once("close", (code) => resolve({ code, text }));
  });
}

test("six processes start on one empty cache at once; all see the same, and the copy is whole", async (t) => {
  const bench = await CliBench.make(t);
  const trustRoot = await bench.releaseAll();
  const cache = join(bench.folder, "shared");
  const args = ["plan", "--source", bench.url, "--cache", cache, "--trust-root", trustRoot];
  const ran = await Promise.all(Array.from({ length: 6 }, () => mooring(args)));
  for (const { code, text } of ran) {
    assert.match(text, /^0 changes: release 1 covers main/);
    assert.equal(code, 0);
  }
  const { folder } = memoryOf(cache, bench.url);
  assert.deepEqual((await readdir(folder)).sort(), ["source.git", "trust-root"]);
  assert.equal((await readdir(join(folder, "source.git"))).filter((name) => name.startsWith("copy-")).length, 1);
  await bench.commit({ "README.md": "later\n" });
  const again = await Promise.all(Array.from({ length: 3 }, () => mooring(args)));
  assert.deepEqual(
    again.map(({ code }) => code),
    [0, 0, 0],
  );
});

test("turns never overlap, whoever takes them, and what a process that is gone left is taken over", async (t) => {
  const path = join(await folderFor(t), "turn");
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await sleep(1);
    inside--;
  };
  const gone = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => gone.once("close", resolve));
  await writeFile(path, `${gone.pid}\n`);
  await Promise.all(Array.from({ length: 8 }, () => fileTurns(path).run(work))); // each as another process would
  assert.equal(most, 1);
  await assert.rejects(readFile(path), { code: "ENOENT" });
  await writeFile(path, ""); // its maker died before it wrote its number
  const old = new Date(Date.now() - 60_000);
  await utimes(path, old, old);
  await fileTurns(path).run(work);
  await assert.rejects(
    fileTurns(path).run(() => Promise.reject(new Error("work failed"))),
    /work failed/,
  );
  await fileTurns(path).run(work);
});

test("who waits too long is told for whom", async (t) => {
  const path = join(await folderFor(t), "turn");
  await writeFile(path, `${process.ppid}\n`);
  await assert.rejects(
    fileTurns(path, 30).run(() => Promise.resolve()),
    { code: "CACHE_BUSY", why: new RegExp(`process ${process.ppid} `) },
  );
});

test("a command that saw less does not make this machine forget the newest release", async (t) => {
  const memory = memoryOf(await folderFor(t), "/x.git");
  const at = (serial: number, root = "one") => ({ v: 1 as const, trustRoot: digestOf(root), serial, verified: null });
  await memory.write(at(7));
  await memory.write(at(5));
  assert.equal((await memory.read())?.serial, 7);
  await memory.write(at(5, "another root, named by a person"));
  assert.equal((await memory.read())?.serial, 5);
});

test("without a home a command that needs the cache says what to name; others run", async (t) => {
  const { HOME: _home, XDG_CACHE_HOME: _cache, ...rest } = process.env;
  const env = { ...rest, HOME: "" };
  const folder = await folderFor(t);
  const plan = await mooring(["plan", "--source", folder], env);
  assert.equal(plan.code, 1);
  assert.match(plan.text, /CACHE_UNNAMED/);
  assert.match(plan.text, /--cache/);
  assert.match((await mooring(["plan", "--source", folder, "--cache", folder], env)).text, /SOURCE_UNREACHABLE/);
  assert.match((await mooring(["run", "--help"], env)).text, /trust-root/);
});
