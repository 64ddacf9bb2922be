import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AgentStatus } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { poll, TestAgent } from "./support.ts";

let fleet: FleetFixture;
let mini: TestAgent;
let plugin: FixturePlugin;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  plugin = await fleet.plugin("greeter", 1, { "main.js": "setInterval(() => {}, 1000);\n" });
  fleet.put("mini-01", plugin.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, plugin)).at, "done");
});
after(async () => {
  await mini.close();
  fleet.close();
});

test("a restart proves the stored release again, corrects what drifted meanwhile and runs the plugins, with no hub", async () => {
  const before = await mini.hello();
  await mini.stop();
  const file = join(mini.layout.generations, "1/plugins/greeter/main.js");
  chmodSync(file, 0o644);
  writeFileSync(file, "process.exit(1)");
  mkdirSync(join(mini.layout.generations, "2.staging"));
  writeFileSync(join(mini.layout.state, "epoch.json.0123456789ab.tmp"), "half");
  await mini.start();
  await poll(async () => ((await mini.get<AgentStatus>("/v1/status")).plugins[0]?.state === "running" ? true : undefined));
  const now = await mini.hello();
  assert.deepEqual([now.root, now.generation, now.release, now.revision, now.epoch], [before.root, 1, before.release, before.revision, 1]);
  assert.deepEqual(readdirSync(mini.layout.generations).sort(), ["1", "current"]);
  assert.equal(existsSync(join(mini.layout.state, "epoch.json.0123456789ab.tmp")), false);
});

test("agent.sock is open to its group, admin.sock to root alone", () => {
  assert.equal(statSync(join(mini.layout.run, "agent.sock")).mode & 0o777, 0o660);
  assert.equal(statSync(join(mini.layout.run, "admin.sock")).mode & 0o777, 0o600);
});

test("a release for another life of the machine is refused", async () => {
  fleet.machine("mini-01").incarnation = 2;
  fleet.release();
  const refused = await mini.apply(fleet);
  assert.equal((refused.json as { code: string }).code, "INCARNATION_OTHER");
  fleet.machine("mini-01").incarnation = 1;
});

test("a plugin section with a name that leaves its folder, or a run mode that is not done, is refused though people signed it", async () => {
  for (const [section, code] of [
    [{ ...plugin.section, name: "a/../../../etc" }, "DESIRED_MALFORMED"],
    [{ ...plugin.section, run: { mode: "gateway", restart: "always" } }, "NOT_YET"],
    [{ ...plugin.section, run: {} }, "DESIRED_MALFORMED"],
  ] as const) {
    fleet.machine("mini-01").sections = [section];
    fleet.release();
    assert.equal(((await mini.apply(fleet)).json as { code: string }).code, code);
  }
  fleet.machine("mini-01").sections = [plugin.section];
});

test("a stored release that is not proven by its bytes stops the start", async () => {
  await mini.stop();
  const path = join(mini.layout.state, "accepted.json");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace('"isCancelled":false', '"isCancelled":true'));
  await assert.rejects(mini.start(), { code: "STATE_BROKEN" });
  writeFileSync(path, text);
  const record = join(mini.layout.generations, "1/record.json");
  const kept = readFileSync(record);
  rmSync(record);
  await assert.rejects(mini.start(), { code: "STATE_BROKEN" });
  writeFileSync(record, kept);
  await mini.start();
  assert.equal((await mini.hello()).generation, 1);
});
