import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lineLog } from "#base/log/index.ts";
import { timeOf } from "#base/time/index.ts";
import { apiServer, listenOn } from "#reconciler/api/index.ts";
import { runHub, type RunOptions } from "#reconciler/main.ts";
import { hubStatus, machineList, pluginList } from "#schemas/wire/index.ts";
import { askSocket } from "#test/lobster/support.ts";
import { MACHINES, World } from "./world.ts";

let world: World;
let folder: string;
let socket: string;
const servers: ReturnType<typeof createServer>[] = [];
const facts = { url: "/fleet.git", version: "0.1.0", uid: 1, startedAt: timeOf(0), nativeCrypto: true };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "mx-"));
  socket = join(folder, "hub.sock");
  world = await World.make();
  const hub = await world.startHub();
  const server = apiServer(
    hub,
    facts,
    lineLog(() => undefined, Date.now),
  );
  servers.push(server);
  await listenOn(server, socket);
  await world.until((view) => view.inSync);
});
after(async () => {
  for (const server of servers) server.close();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

test("status, machines and plugins are what their schemas say", async () => {
  const status = hubStatus.parse((await askSocket(socket, "/v1/status", {})).json);
  assert.equal(status.fleet, "acme");
  assert.equal(status.release?.serial, 1);
  assert.deepEqual(status.trusts["access"]?.principals, ["security@acme.dev"]);
  assert.deepEqual(
    machineList.parse((await askSocket(socket, "/v1/machines", {})).json).items.map(({ name }) => name),
    MACHINES,
  );
  const plugins = pluginList.parse((await askSocket(socket, "/v1/plugins", {})).json).items;
  assert.ok(plugins.every(({ id, version }) => id === "greeter" && version === "1.0.0"));
});

test("a request of another form gets a problem document and changes nothing", async () => {
  for (const ask of [{ method: "PUT", body: { bytes: 1 } }, { method: "PUT", bytes: Buffer.from("{") }, { method: "DELETE" }]) {
    const reply = await askSocket(socket, "/v1/statements", ask);
    assert.equal((reply.json as { code: string }).code, "HUB_REQUEST_MALFORMED");
  }
  const unknown = await askSocket(socket, "/v1/reconcile", { method: "POST", body: { machines: ["mini-99"] } });
  assert.equal((unknown.json as { code: string }).code, "MACHINE_UNKNOWN");
});

test("a socket with a hub on it is not taken; one that a crash left is", async () => {
  await assert.rejects(listenOn(createServer(), socket), { code: "HUB_SOCKET_TAKEN" });
});

test("a hub without trust root or key does not start", async () => {
  const options: RunOptions = {
    source: world.fleet.gitdir,
    dir: join(folder, "h"),
    trustRoot: null,
    sshKey: "/none",
    sshUser: "u",
    vault: null,
    socket: join(folder, "h.sock"),
    pollMs: 1000,
    insecureOneUid: false,
    access: {},
  };
  const signal = new AbortController().signal;
  await assert.rejects(runHub(options, "0.1.0", signal), { code: "TRUST_ROOT_NEEDED" });
  const trustRoot = (await world.fleet.resolved()).trustLeaf;
  await assert.rejects(runHub({ ...options, trustRoot }, "0.1.0", signal), { code: "SSH_KEY_UNREADABLE" });
  await assert.rejects(runHub({ ...options, trustRoot, vault: join(world.fleet.folder, "v.sock") }, "0.1.0", signal), {
    code: "VAULT_NOT_ISOLATED",
  });
});
