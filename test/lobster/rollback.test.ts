import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AgentStatus, ApplyPhase } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { poll, TestAgent } from "./support.ts";

const GOOD = { "main.js": "setInterval(() => {}, 1000);\n" };
let fleet: FleetFixture;
let mini: TestAgent;
let first: FixturePlugin;
let other: FixturePlugin;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  first = await fleet.plugin("greeter", 1, GOOD);
  other = await fleet.plugin("other", 1, { "main.js": "setInterval(() => {}, 500);\n" });
  fleet.put("mini-01", first.section, other.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, first, other)).at, "done");
});
after(async () => {
  await mini.close();
  fleet.close();
});

async function plugins(): Promise<Record<string, { version: string; runSeq: number; state: string }>> {
  const { plugins } = await mini.get<AgentStatus>("/v1/status");
  return Object.fromEntries(plugins.map(({ id, version, runSeq, state }) => [id, { version, runSeq, state }]));
}

test("a version that does not come up is undone by a new generation with the old tree, and held", async () => {
  const before = await plugins();
  const bad = await fleet.plugin("greeter", 2, { "main.js": "process.exit(3);\n" });
  fleet.put("mini-01", bad.section);
  fleet.release();
  const phase = await mini.converge(fleet, bad);
  assert.equal(phase.at, "undone");
  assert.equal(phase.at === "undone" && phase.reason, "PLUGIN_NOT_ALIVE");
  assert.deepEqual(phase.at === "undone" && phase.generation, 3);
  const now = await plugins();
  assert.equal(now["greeter"]?.version, "1.1.0");
  assert.equal(now["greeter"]?.state, "running");
  assert.deepEqual(now["other"], before["other"], "the other plugin never noticed");
  const status = await mini.get<AgentStatus>("/v1/status");
  assert.equal(status.held, "greeter");
  assert.equal(status.conditions.find((each) => each.type === "Stalled")?.reason, "PLUGIN_NOT_ALIVE");
  assert.equal((await mini.hello()).release?.serial, 2, "the release itself stays accepted: trust, grants and revocations never go back");
});

test("the held release is not tried again, not even after a restart", async () => {
  const again = await mini.apply(fleet);
  assert.equal((again.json as { code: string }).code, "APPLY_HELD");
  assert.equal(again.status, 423);
  await mini.stop();
  await mini.start();
  await mini.agent?.idle();
  assert.equal((await mini.hello()).generation, 3);
  assert.equal((await plugins())["greeter"]?.version, "1.1.0");
});

test("another version ends the hold", async () => {
  const better = await fleet.plugin("greeter", 3, { "main.js": "setInterval(() => {}, 2000);\n" });
  fleet.put("mini-01", better.section);
  fleet.release();
  assert.deepEqual(await mini.converge(fleet, better), { at: "done", generation: 4 });
  assert.equal((await plugins())["greeter"]?.version, "1.3.0");
  assert.equal((await mini.get<AgentStatus>("/v1/status")).held, null);
});

test("a plugin whose bundle stays keeps running through new generations, and its tree outlives the generations between", async () => {
  const before = await plugins();
  for (let i = 4; i < 7; i++) {
    const next = await fleet.plugin("greeter", i, { "main.js": `setInterval(() => {}, ${i}000);\n` });
    fleet.put("mini-01", next.section);
    fleet.release();
    assert.equal((await mini.converge(fleet, next)).at, "done");
  }
  assert.deepEqual((await plugins())["other"], before["other"]);
  const kept = readdirSync(mini.layout.generations)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
  assert.deepEqual(kept, [1, 6, 7]);
  assert.equal((await mini.live()).root, fleet.rootOf("mini-01"));
});

test("observe accepts a release, changes nothing and corrects nothing", async () => {
  const { generation } = await mini.hello();
  fleet.machine("mini-01").mode = "observe";
  fleet.remove("mini-01", "plugin/other");
  fleet.release();
  assert.deepEqual(await mini.converge(fleet), { at: "done", generation });
  assert.notEqual((await mini.live()).root, fleet.rootOf("mini-01"));
  const file = join(mini.layout.generations, "current/plugins/greeter/main.js");
  chmodSync(file, 0o644);
  writeFileSync(file, "changed");
  const seen = await mini.event((event) => event.kind === "drift.seen");
  assert.equal(seen.data["plugin"], "greeter");
  assert.notDeepEqual((await mini.live()).drifted, {});
  fleet.machine("mini-01").mode = "manage";
  fleet.release();
  const done = await mini.apply(fleet);
  assert.equal(done.status, 202, done.text);
  assert.equal((await mini.ended(done.id)).at, "done");
  await poll(async () => ((await mini.live()).root === fleet.rootOf("mini-01") ? true : undefined));
});

test("an apply that waits can be cancelled; one that switched cannot", async () => {
  const next = await fleet.plugin("third", 1, GOOD);
  fleet.put("mini-01", next.section);
  fleet.release();
  const { id } = await mini.apply(fleet);
  const cancelled = await mini.ask(`/v1/applies/${id}`, { method: "DELETE" });
  assert.equal((cancelled.json as ApplyPhase & { reason: string }).reason, "APPLY_CANCELLED");
  fleet.put("mini-01", { ...next.section, config: { again: true } });
  fleet.release();
  const answer = await mini.apply(fleet);
  assert.equal((await mini.get<{ reason: string }>(`/v1/applies/${id}`)).reason, "APPLY_CANCELLED");
  await mini.sendPack(fleet, next);
  assert.equal((await mini.ended(answer.id)).at, "done");
  assert.equal(((await mini.ask(`/v1/applies/${answer.id}`, { method: "DELETE" })).json as { code: string }).code, "APPLY_COMMITTED");
  assert.equal(((await mini.ask(`/v1/applies/${"0".repeat(64)}`)).json as { code: string }).code, "APPLY_UNKNOWN");
});

test("a kept file that rotted is noticed when it is used, and its bundle is asked for again", async () => {
  const fresh = await fleet.plugin("fourth", 1, GOOD);
  fleet.put("mini-01", fresh.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, fresh)).at, "done");
  const blobs = join(mini.layout.content, "blobs");
  for (const name of readdirSync(blobs)) rmSync(join(blobs, name));
  fleet.put("mini-01", { ...fresh.section, config: { n: 1 } });
  fleet.release();
  const answer = await mini.apply(fleet);
  assert.equal((answer.json as ApplyPhase).at, "waiting");
});
