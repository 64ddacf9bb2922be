import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AgentStatus } from "#schemas/wire/index.ts";
import { FleetFixture } from "#test/support/fleet-fixture.ts";
import { TestAgent } from "./support.ts";

const SLEEPER = { "main.js": "setInterval(() => {}, 1000); console.log('up');\n" };
let fleet: FleetFixture;
let mini: TestAgent;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
});
after(async () => {
  await mini.close();
  fleet.close();
});

test("a fresh machine says who it is and that it has nothing", async () => {
  const hello = await mini.hello();
  assert.equal(hello.generation, 0);
  assert.equal(hello.release, null);
  assert.equal(hello.trust, fleet.pin);
  assert.equal((await mini.get<AgentStatus>("/v1/status")).conditions[0]?.reason, "NO_RELEASE");
});

test("a signed release waits for its bundle, then runs, and the live root is the released one", async () => {
  const greeter = await fleet.plugin("greeter", 1, SLEEPER);
  fleet.put("mini-01", greeter.section);
  fleet.release();
  const answer = await mini.apply(fleet);
  assert.equal(answer.status, 202, answer.text);
  assert.deepEqual(answer.json, { at: "waiting", missing: [greeter.section.bundle] });
  assert.equal((await mini.sendPack(fleet, greeter)).status, 201);
  assert.deepEqual(await mini.ended(answer.id), { at: "done", generation: 1 });
  assert.equal((await mini.live()).root, fleet.rootOf("mini-01"));
  const status = await mini.get<AgentStatus>("/v1/status");
  assert.equal(status.plugins[0]?.state, "running");
  assert.equal(status.conditions.find((each) => each.type === "Ready")?.status, "True");
  assert.match(readFileSync(join(mini.layout.generations, "current/plugins/greeter/main.js"), "utf8"), /up/);
});

test("the same apply again gives its phase and changes nothing", async () => {
  const before = await mini.hello();
  const { id, body } = fleet.applyFor("mini-01", { epoch: 1, ifRoot: before.root, ifGeneration: 1 });
  const first = await mini.ask(`/v1/applies/${id}`, { method: "PUT", body });
  const again = await mini.ask(`/v1/applies/${id}`, { method: "PUT", body });
  assert.equal(first.status, 202, first.text);
  assert.deepEqual(again.json, await mini.ended(id));
  assert.equal((await mini.hello()).generation, 1);
});
