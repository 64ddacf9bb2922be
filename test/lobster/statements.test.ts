import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AgentStatus, MachineId } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { poll, TestAgent } from "./support.ts";

let fleet: FleetFixture;
let mini: TestAgent;
let plugin: FixturePlugin;
const elsewhere = "mini-09" as MachineId;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  plugin = await fleet.plugin("greeter", 1, { "main.js": "setInterval(() => {}, 1000);\n" });
  fleet.put("mini-01", plugin.section);
});
after(async () => {
  await mini.close();
  fleet.close();
});

async function isRunning(): Promise<boolean> {
  return (await mini.get<AgentStatus>("/v1/status")).plugins[0]?.state === "running";
}
function state(item: unknown): ReturnType<TestAgent["ask"]> {
  return mini.ask("/v1/statements", { method: "PUT", body: item });
}
async function refusal(item: unknown): Promise<string> {
  return ((await state(item)).json as { code: string }).code;
}

test("before the first release nobody's statement can be judged", async () => {
  assert.equal(await refusal(fleet.statement({ kind: "plugin", name: "greeter" }).item), "STATEMENT_UNPROVEN");
  fleet.release();
  assert.equal((await mini.converge(fleet, plugin)).at, "done");
});

test("one principal revokes a plugin: it stops at once, stays so after a restart, and only a release that lifts it starts it again", async () => {
  const { item, digest } = fleet.statement({ kind: "plugin", name: "greeter" });
  assert.equal((await state(item)).status, 202);
  assert.equal(await isRunning(), false);
  assert.equal((await state(item)).status, 202, "again is no error");
  assert.equal(
    ((await mini.ask("/v1/plugins/greeter/state", { method: "PUT", body: { state: "running" } })).json as { code: string }).code,
    "PLUGIN_REVOKED",
  );
  await mini.stop();
  await mini.start();
  await mini.agent?.idle();
  assert.equal(await isRunning(), false);
  fleet.release();
  await mini.converge(fleet, plugin);
  assert.equal(await isRunning(), false, "a release that does not name it lifts nothing");
  fleet.release(["alice"], { lifts: [digest] });
  await mini.converge(fleet, plugin);
  await poll(async () => (await isRunning()) || undefined);
  assert.equal(await refusal(item), "STATEMENT_LIFTED");
});

test("statements by others, for others, and of other actions are refused", async () => {
  assert.equal(await refusal(fleet.statement({ kind: "plugin", name: "greeter" }, "alice").item), "STATEMENT_UNPROVEN");
  assert.equal(
    await refusal(fleet.statement({ kind: "plugin", name: "greeter" }, "ops", { machines: [elsewhere] }).item),
    "STATEMENT_ELSEWHERE",
  );
  const expires = new Date(fleet.now + 3_600_000).toISOString();
  assert.equal(await refusal(fleet.statement(null, "ops", { action: "pause", expires: expires as never }).item), "NOT_YET");
  assert.equal(await refusal(fleet.statement({ kind: "signer", name: "alice" }).item), "NOT_YET");
});

test("a plugin is stopped and started by request, on admin.sock without an epoch", async () => {
  const ask = { method: "PUT", admin: true, headers: { "mooring-epoch": "" } } as const;
  assert.equal((await mini.ask("/v1/plugins/greeter/state", { ...ask, body: { state: "stopped" } })).status, 204);
  assert.equal(await isRunning(), false);
  assert.equal((await mini.ask("/v1/plugins/greeter/state", { ...ask, body: { state: "running" } })).status, 204);
  assert.equal(await isRunning(), true);
  const unknown = await mini.ask("/v1/plugins/nobody/state", { ...ask, body: { state: "running" } });
  assert.equal((unknown.json as { code: string }).code, "PLUGIN_UNKNOWN");
});
