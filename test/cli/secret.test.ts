/** `mooring secret-ref add`, and what the command line remembers. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import type { Digest } from "#base/canonical/index.ts";
import { memoryOf } from "#cli/fleet/memory.ts";
import { secretAdd } from "#cli/secret.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { CliBench, type Ran } from "./bench.ts";

test("a secret is sealed to the recipients people signed, not to those of a checkout somebody changed", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  const repo = checkout(bench, "trust/recipients", /^age1.*$/m, `age1${"q".repeat(58)}`);
  const ran = await add(bench, repo, "team/new", trustRoot);
  assert.match(ran.text, /^sealed secret:\/\/team\/new version 1 to 1 recipient; commit\n {2}secrets\/team\/new\.v1\.age\n/);
  assert.match(readFileSync(join(repo, "secrets/team/new.v1.age"), "utf8"), /BEGIN AGE ENCRYPTED FILE/);
  assert.doesNotMatch(readFileSync(join(repo, "secrets/team/new.v1.age"), "utf8"), /hunter2/);
  assert.match((await add(bench, repo, "secret://team/greeting")).text, /version 2/); // the root is remembered now
});

test("before anything is released the checkout's trust section counts only when it is the trust root", async (t) => {
  const bench = await CliBench.make(t, "local");
  const root = await bench.root();
  const repo = checkout(bench, "README.md", "", "hello");
  await assert.rejects(add(bench, repo, "team/new"), { code: "TRUST_ROOT_NEEDED" });
  assert.match((await add(bench, repo, "team/new", root)).text, /sealed/);
  const other = checkout(bench, "fleet.yaml", "lease: 48h", "lease: 24h", "other");
  await assert.rejects(add(bench, other, "team/new", root), { code: "TRUST_ROOT_UNPROVEN" });
  await assert.rejects(add(bench, repo, "Not A Name", root), { code: "USAGE" });
});

test("a broken memory is said, never taken for no memory", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  const { cache, source } = bench.options("a@acme.dev");
  const { folder } = memoryOf(cache, source);
  writeFileSync(join(folder, "trust-root"), "{}");
  await assert.rejects(bench.release("a@acme.dev"), { code: "CACHE_BROKEN" });
});

test("a main that can't be read is refused at its place; the branch that repairs it can be planned", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  const path = "plugins/greeter.yaml";
  const good = bench.tree[path]!;
  await bench.commit({ [path]: edited(bench.tree, path, "  machines:", "  machnies:")[path]! });
  await assert.rejects(bench.release("a@acme.dev"), { code: "FLEET_INVALID", message: /plugins\/greeter\.yaml:\d+:\d+ FLEET_FIELD_/ });
  await bench.branch("fix", { [path]: good });
  const plan = await bench.plan({ head: "fix", trustRoot });
  assert.match(plan.text, /^0 changes: release 1 covers fix/);
});

function checkout(bench: CliBench, path: string, from: string | RegExp, to: string, name = "checkout"): string {
  const dir = join(bench.folder, name);
  const tree = from === "" ? { ...bench.tree, [path]: to } : edited(bench.tree, path, from, to);
  for (const [file, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  }
  return dir;
}

function add(bench: CliBench, repo: string, ref: string, trustRoot?: Digest): Promise<Ran> {
  const options = { source: bench.url, cache: join(bench.folder, "cache-secret"), ref, repo, trustRoot };
  return bench.run((io) => secretAdd(options, Readable.from([Buffer.from("hunter2\n")]), new PassThrough(), io.out, bench.deps));
}
