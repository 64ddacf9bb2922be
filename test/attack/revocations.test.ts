import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Json } from "#base/canonical/index.ts";
import type { AgentStatus } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { poll, TestAgent } from "#test/lobster/support.ts";

let fleet: FleetFixture;
let mini: TestAgent;
let greeter: FixturePlugin;
let mailer: FixturePlugin;
const SLEEPS = { "main.js": "setInterval(() => {}, 1000);\n" };

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  greeter = await fleet.plugin("greeter", 1, SLEEPS);
  mailer = await fleet.plugin("mailer", 1, SLEEPS);
  fleet.put("mini-01", greeter.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, greeter)).at, "done");
});
after(async () => {
  await mini.close();
  fleet.close();
});

async function stateOf(id: string): Promise<string | undefined> {
  return (await mini.get<AgentStatus>("/v1/status")).plugins.find((plugin) => plugin.id === id)?.state;
}
function revoke(item: unknown): ReturnType<TestAgent["ask"]> {
  return mini.ask("/v1/statements", { method: "PUT", body: item });
}
function running(id: string): Promise<string> {
  return poll(async () => ((await stateOf(id)) === "running" ? id : undefined));
}

test("a plugin that was revoked before it came to the machine does not run when a release brings it", async () => {
  const { item, digest } = fleet.statement({ kind: "plugin", name: "mailer" });
  assert.equal((await revoke(item)).status, 202);
  fleet.put("mini-01", mailer.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, mailer)).at, "done", "a revoked plugin is no failed version");
  assert.equal(await stateOf("mailer"), "stopped");
  assert.equal(await stateOf("greeter"), "running");
  await mini.stop();
  await mini.start();
  await mini.agent?.idle();
  assert.equal(await stateOf("mailer"), "stopped", "nor after a restart");
  fleet.release(["alice"], { lifts: [digest] });
  await mini.converge(fleet, mailer);
  assert.equal(await running("mailer"), "mailer");
  await mini.stop();
  await mini.start();
  await mini.agent?.idle();
  assert.equal(((await revoke(item)).json as { code: string }).code, "STATEMENT_LIFTED", "replayed after a restart");
  assert.equal(await running("mailer"), "mailer");
});

test("a revoked machine runs nothing, and everything again once a release lifts it", async () => {
  const { item, digest } = fleet.statement({ kind: "machine", name: "mini-01" });
  assert.equal((await revoke(item)).status, 202);
  assert.deepEqual([await stateOf("greeter"), await stateOf("mailer")], ["stopped", "stopped"]);
  fleet.release(["alice"], { lifts: [digest] });
  await mini.converge(fleet, greeter);
  assert.deepEqual([await running("greeter"), await running("mailer")], ["greeter", "mailer"]);
});

test("what a release itself calls revoked does not run; a form the agent does not know is refused whole", async () => {
  const revoked = (items: Json) => ({ kind: "revoked", items }) as const;
  fleet.put("mini-01", revoked([{ kind: "plugin", name: "greeter", why: "CVE" }]));
  fleet.release();
  assert.equal((await mini.converge(fleet)).at, "done");
  assert.equal(await stateOf("greeter"), "stopped");
  await mini.stop();
  await mini.start();
  await mini.agent?.idle();
  assert.equal(await stateOf("greeter"), "stopped");

  fleet.put("mini-01", revoked(["plugin/greeter"]));
  fleet.release();
  assert.equal(((await mini.apply(fleet)).json as { code: string }).code, "NOT_YET");
  assert.equal(await stateOf("greeter"), "stopped");

  fleet.remove("mini-01", "revoked");
  fleet.release();
  await mini.converge(fleet);
  assert.equal(await running("greeter"), "greeter");
});

test("a release that only lifts a revocation is taken although another plugin did not come up and is held", async () => {
  const broken = await fleet.plugin("mailer", 2, { "main.js": "process.exit(1);\n" });
  fleet.put("mini-01", broken.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, broken)).at, "undone");
  const { item, digest } = fleet.statement({ kind: "plugin", name: "greeter" });
  assert.equal((await revoke(item)).status, 202);
  assert.equal(((await mini.apply(fleet)).json as { code: string }).code, "APPLY_HELD", "the same release again");
  fleet.release(["alice"], { lifts: [digest] });
  assert.equal((await mini.apply(fleet)).status, 202);
  assert.equal(await running("greeter"), "greeter");
});

test("a revocation stops its plugin although the bridge cannot write its log", async () => {
  const { item } = fleet.statement({ kind: "plugin", name: "greeter" }, "ops", { reason: "again" });
  const log = join(mini.layout.bridge, "log");
  rmSync(log, { recursive: true });
  writeFileSync(log, "");
  assert.equal((await revoke(item)).status, 503, "the bridge has not logged it");
  assert.equal(await stateOf("greeter"), "stopped");
});
