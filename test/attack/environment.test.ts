import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AgentStatus } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { poll, TestAgent } from "#test/lobster/support.ts";

const POISON = { MOORING_FAULT_AT: "1", NODE_OPTIONS: "--no-such-flag", LD_PRELOAD: "", AWS_SECRET_ACCESS_KEY: "hunter2" };
let fleet: FleetFixture;
let mini: TestAgent;
let plugin: FixturePlugin;

before(async () => {
  fleet = new FleetFixture();
  Object.assign(process.env, POISON);
  mini = await TestAgent.make(fleet);
  plugin = await fleet.plugin("printer", 1, {
    "main.js": "process.stdout.write(`${Object.keys(process.env).sort()}\\n`);\nsetInterval(() => {}, 1000);\n",
  });
  fleet.put("mini-01", plugin.section);
  fleet.release();
});
after(async () => {
  for (const name of Object.keys(POISON)) delete process.env[name];
  await mini.close();
  fleet.close();
});

test("bridge, unpacking child and plugin get nothing of the agent's environment: no fault switch, no Node option, no secret", async () => {
  assert.equal((await mini.converge(fleet, plugin)).at, "done", "a bridge or child with MOORING_FAULT_AT or NODE_OPTIONS would have died");
  assert.equal(mini.bridgePids.length, 1);
  assert.equal((await mini.get<AgentStatus>("/v1/status")).plugins[0]?.state, "running");
  const line = await poll(async () => (await mini.ask("/v1/logs?plugin=printer")).text.split("\n").find((each) => each.includes("PATH")));
  const names = (JSON.parse(line) as { text: string }).text.split(",");
  assert.deepEqual(
    names,
    ["HOME", "LANG", "MOORING_CONFIG_FILE", "MOORING_PLUGIN_ID", "PATH", "PWD", "TMPDIR"].filter((name) => names.includes(name)),
  );
});
