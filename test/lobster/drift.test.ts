import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AgentStatus, LiveAnswer } from "#schemas/wire/index.ts";
import { FleetFixture } from "#test/support/fleet-fixture.ts";
import { poll, TestAgent } from "./support.ts";

const CODE = "setInterval(() => {}, 1000); // word: good\n";
let fleet: FleetFixture;
let mini: TestAgent;
let tree: string;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet, "mini-01", { sweepMs: 100 });
  const plugin = await fleet.plugin("greeter", 1, { "main.js": CODE, "lib/deep/part.js": "export {};\n" });
  fleet.put("mini-01", plugin.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, plugin)).at, "done");
  tree = join(mini.layout.generations, "current/plugins/greeter");
});
after(async () => {
  await mini.close();
  fleet.close();
});

/** Overwrites in place, keeping size and both times, as a careful intruder would. */
function tamper(path: string): void {
  const { atime, mtime, mode } = statSync(path);
  const text = readFileSync(path, "utf8");
  chmodSync(path, 0o644);
  writeFileSync(path, text.replace("good", "evil"));
  chmodSync(path, mode);
  utimesSync(path, atime, mtime);
}

async function pluginState(): Promise<AgentStatus["plugins"][number] | undefined> {
  return (await mini.get<AgentStatus>("/v1/status")).plugins[0];
}

test("content changed under the same size and mtime is corrected with no hub, and the plugin restarts", async () => {
  const runSeq = (await pluginState())?.runSeq ?? 0;
  const path = join(tree, "main.js");
  tamper(path);
  const event = await mini.event((each) => each.kind === "drift.corrected");
  assert.equal(readFileSync(path, "utf8"), CODE);
  assert.deepEqual(event.data["paths"], ["changed main.js"]);
  await poll(async () => ((await pluginState())?.runSeq ?? 0) > runSeq || undefined);
  assert.equal((await mini.live()).root, fleet.rootOf("mini-01"));
});

test("extra files, links, missing files, replaced folders and modes are put right", async () => {
  writeFileSync(join(tree, "extra.js"), "1");
  symlinkSync("/etc/passwd", join(tree, "lib/link"));
  rmSync(join(tree, "lib/deep"), { recursive: true });
  writeFileSync(join(tree, "lib/deep"), "a file where a folder was");
  chmodSync(join(tree, "package.json"), 0o777);
  await poll(async () => ((await mini.live()).root === fleet.rootOf("mini-01") ? true : undefined));
  assert.deepEqual(readdirSync(tree).sort(), ["lib", "main.js", "openclaw.plugin.json", "package.json"]);
  assert.deepEqual(readdirSync(join(tree, "lib")), ["deep"]);
  assert.equal(statSync(join(tree, "package.json")).mode & 0o777, 0o444);
});

test("what is not ours is reported and left alone", async () => {
  const foreign = join(mini.layout.generations, "current/plugins/by-hand");
  mkdirSync(foreign);
  const { foreign: seen, root } = await mini.live();
  assert.deepEqual(seen, ["plugins/by-hand"]);
  assert.equal(root, fleet.rootOf("mini-01"));
  rmSync(foreign, { recursive: true });
});

test("a fight over one path becomes Stalled and stops being a loop", async () => {
  const path = join(tree, "lib/deep/part.js");
  let rounds = 0;
  await poll(async () => {
    if ((await mini.events()).some((event) => event.kind === "drift.fight")) return true;
    rounds += 1;
    rmSync(path, { force: true });
    await mini.live();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return undefined;
  });
  const stalled = (await mini.get<AgentStatus>("/v1/status")).conditions.find((each) => each.type === "Stalled");
  assert.equal(stalled?.reason, "DRIFT_FIGHT");
  const before = (await mini.events()).filter((event) => event.kind === "drift.corrected").length;
  await mini.live();
  assert.equal((await mini.events()).filter((event) => event.kind === "drift.corrected").length, before);
  assert.ok(rounds > 5);
});

test("a drifted tree changes the live root and is listed by path", async () => {
  const live = await mini.get<LiveAnswer>("/v1/live?fresh=stat");
  assert.notEqual(live.root, fleet.rootOf("mini-01"));
  assert.equal(live.drifted["plugin/greeter"]?.[0]?.what, "missing");
});
