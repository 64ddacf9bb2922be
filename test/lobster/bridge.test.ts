import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AgentStatus } from "#schemas/wire/index.ts";
import { FleetFixture } from "#test/support/fleet-fixture.ts";
import { poll, TestAgent } from "./support.ts";

let fleet: FleetFixture;
let mini: TestAgent;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  const plugin = await fleet.plugin("greeter", 1, { "main.js": "console.log('hello'); setInterval(() => {}, 1000);\n" });
  fleet.put("mini-01", plugin.section, fleet.grant("mini-01", "greeter", "team/openai"), {
    kind: "secret",
    name: "team/openai",
    version: 1,
    file: plugin.section.bundle,
  });
  fleet.release();
  assert.equal((await mini.converge(fleet, plugin)).at, "done");
});
after(async () => {
  await mini.close();
  fleet.close();
});

test("bindings and leases go to the bridge, which refuses what no vault key signed", async () => {
  const empty = await mini.ask("/v1/bindings", { method: "PUT", body: { envelopes: [], tombstones: [] } });
  assert.deepEqual(empty.json, { items: [] });
  const forged = { bytes: "e30=", signer: `sha256:${"0".repeat(64)}`, sig: "AAAA" };
  const lease = await mini.ask("/v1/lease", { method: "PUT", body: forged });
  assert.ok(lease.status >= 400 && lease.status < 500, lease.text);
});

test("log lines come as ndjson, those before `since` left out, and an unknown plugin is 404", async () => {
  const lines = await poll(async () => {
    const { text } = await mini.ask("/v1/logs?plugin=greeter");
    return text === ""
      ? undefined
      : text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as { seq: number; text: string });
  });
  assert.equal(lines[0]?.text, "hello");
  assert.equal((await mini.ask("/v1/logs?plugin=greeter&since=1")).text, "");
  assert.equal((await mini.ask("/v1/logs?plugin=nobody")).status, 404);
});

test("a bridge that dies is started anew with its state, and the plugins with it", async () => {
  const before = (await mini.get<AgentStatus>("/v1/status")).plugins[0];
  assert.equal(before?.state, "running");
  process.kill(mini.bridgePids.at(-1) ?? 0, "SIGKILL");
  const now = await poll(async () => {
    const plugin = (await mini.get<AgentStatus>("/v1/status")).plugins[0];
    return plugin?.state === "running" && plugin.runSeq > (before?.runSeq ?? 0) ? plugin : undefined;
  });
  assert.ok(now.pid !== before?.pid);
  assert.equal(mini.bridgePids.length, 2);
  assert.equal((await mini.ask("/v1/bindings", { method: "PUT", body: { envelopes: [], tombstones: [] } })).status, 200);
});
