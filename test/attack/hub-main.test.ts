import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AgentStatus } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { TestAgent } from "#test/lobster/support.ts";

let fleet: FleetFixture;
let mini: TestAgent;
let plugin: FixturePlugin;
const open: Socket[] = [];

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  plugin = await fleet.plugin("greeter", 1, { "main.js": "setInterval(() => {}, 1000);\n" });
  fleet.put("mini-01", plugin.section);
  fleet.release();
  await mini.converge(fleet, plugin);
});
after(async () => {
  for (const socket of open) socket.destroy();
  await mini.close();
  fleet.close();
});

function dial(): Promise<Socket> {
  const socket = connect(join(mini.layout.run, "agent.sock"));
  socket.on("error", () => null);
  open.push(socket);
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}

async function closeAll(): Promise<void> {
  for (const socket of open.splice(0)) {
    socket.destroy();
    await new Promise((resolve) => (socket.closed ? resolve(null) : socket.once("close", resolve)));
  }
}

test("however many channels the hub's key opens, the agent holds 64 and still answers root", async () => {
  const sockets = await Promise.all(Array.from({ length: 80 }, dial));
  for (const socket of sockets.slice(64)) if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  assert.equal((await mini.ask("/v1/status", { admin: true })).status, 200);
  await closeAll();
});

test("four packs on their way are the most; a fifth is told to come back", async () => {
  for (let n = 0; n < 4; n++) {
    const digest = `sha256:${createHash("sha256").update(String(n)).digest("hex")}`;
    const socket = await dial();
    socket.write(
      `PUT /v1/packs/${digest} HTTP/1.1\r\nHost: a\r\nMooring-Wire: 1\r\nMooring-Epoch: 1\r\nUpload-Offset: 0\r\nContent-Length: 1000\r\n\r\nx`,
    );
    while (Number((await mini.ask(`/v1/packs/${digest}`, { method: "HEAD" })).headers["upload-offset"]) !== 1);
  }
  assert.equal(((await mini.sendPack(fleet, plugin)).json as { code: string }).code, "OFFSET_OTHER");
  await closeAll();
});

test("what the hub may ask of a running plugin stops or starts it, and never makes it other than what was released", async () => {
  const put = (path: string, body: unknown) => mini.ask(path, { method: "PUT", body });
  for (const body of [{ state: "running", main: "/bin/sh" }, { state: "running", env: {} }, { state: "debug" }])
    assert.equal((await put("/v1/plugins/greeter/state", body)).status, 400);
  for (const id of ["..%2f..%2fetc", "../../etc", "Greeter", ""])
    assert.notEqual((await put(`/v1/plugins/${id}/state`, { state: "running" })).status, 204);
  const [state] = (await mini.get<AgentStatus>("/v1/status")).plugins;
  assert.deepEqual([state?.id, state?.state, state?.version], ["greeter", "running", plugin.section.version]);
});

test("the wire has no way to a file, a command, a key or a secret", async () => {
  for (const [method, path] of [
    ["POST", "/v1/resolve"],
    ["POST", "/v1/attest"],
    ["POST", "/v1/unwrap"],
    ["POST", "/v1/sign"],
    ["GET", "/v1/files/etc/passwd"],
    ["GET", "/v1/bindings"],
    ["GET", "/v1/lease"],
    ["PUT", "/v1/trust"],
    ["PUT", "/v1/pins"],
    ["GET", "/v1/audit/../keys/kx.key"],
    ["GET", "/v1/audit/..%2fkeys%2fkx.key"],
  ] as const) {
    const answer = await mini.ask(path, { method });
    assert.ok([400, 404, 501].includes(answer.status), `${method} ${path}: ${answer.status}`);
  }
});
