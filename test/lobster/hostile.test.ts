import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf, toBase64 } from "#base/canonical/index.ts";
import type { ApplyRequest, Bytes64 } from "#schemas/wire/index.ts";
import { applyIdOf, FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { type Reply, TestAgent } from "./support.ts";

let fleet: FleetFixture;
let mini: TestAgent;
let plugin: FixturePlugin;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  fleet.addMachine({ machine: "mini-02" as typeof mini.name, kx: "age1tag1other", sig: "c2ln", incarnation: 1 });
  plugin = await fleet.plugin("greeter", 1, { "main.js": "setInterval(() => {}, 1000);\n" });
  fleet.put("mini-01", plugin.section);
  fleet.put("mini-02", plugin.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, plugin)).at, "done");
  mini.epoch = 5;
  await mini.ask("/v1/epoch", { method: "PUT", body: { epoch: 5, hub: "test" } });
});
after(async () => {
  await mini.close();
  fleet.close();
});

async function send(change: (body: ApplyRequest) => ApplyRequest): Promise<Reply> {
  const { root, generation } = await mini.hello();
  const body = change(fleet.applyFor("mini-01", { epoch: mini.epoch, ifRoot: root, ifGeneration: generation }).body);
  return mini.ask(`/v1/applies/${applyIdOf(body)}`, { method: "PUT", body });
}

async function refusedAs(code: string, status: number, reply: Promise<Reply>): Promise<void> {
  const before = await mini.hello();
  const { status: got, json, text } = await reply;
  assert.equal((json as { code?: string } | null)?.code, code, text);
  assert.equal(got, status);
  const after = await mini.hello();
  assert.deepEqual([after.root, after.generation, after.release], [before.root, before.generation, before.release]);
}

test("a desired state that nobody signed is refused, and the refusal is an event", async () => {
  const forged = new TextEncoder().encode(
    new TextDecoder().decode(fleet.desiredOf("mini-01")).replace('"drift":"correct"', '"drift":"ignore"'),
  );
  await refusedAs(
    "ROOT_MISMATCH",
    422,
    send((body) => ({ ...body, desired: toBase64(forged) as Bytes64 })),
  );
  const event = (await mini.events()).find((each) => each.kind === "release.refused");
  assert.equal(event?.data["code"], "ROOT_MISMATCH");
});

test("another machine's desired state is refused", async () => {
  await refusedAs(
    "DESIRED_MALFORMED",
    422,
    send(({ epoch, ifRoot, ifGeneration }) => fleet.applyFor("mini-02", { epoch, ifRoot, ifGeneration }).body),
  );
});

test("a release that only a stranger signed is refused", async () => {
  const other = new FleetFixture();
  const machine = fleet.machine("mini-01");
  other.addMachine({ machine: mini.name, kx: machine.kx, sig: machine.sig, incarnation: 1 });
  other.release();
  const { body } = other.applyFor("mini-01", { epoch: mini.epoch, ifRoot: (await mini.hello()).root, ifGeneration: 1 });
  other.close();
  await refusedAs("SERIAL_OLD", 422, mini.ask(`/v1/applies/${applyIdOf(body)}`, { method: "PUT", body }));
});

test("a root other than the computed one is refused", async () => {
  await refusedAs(
    "ROOT_MISMATCH",
    422,
    send((body) => ({ ...body, root: digestOf("another") })),
  );
});

test("an id that is not the digest of the body is refused", async () => {
  const { root } = await mini.hello();
  const { body } = fleet.applyFor("mini-01", { epoch: mini.epoch, ifRoot: root, ifGeneration: 1 });
  await refusedAs("REQUEST_MALFORMED", 400, mini.ask(`/v1/applies/${"0".repeat(64)}`, { method: "PUT", body }));
});

test("an apply made from another view is refused", async () => {
  await refusedAs(
    "LIVE_MOVED",
    412,
    send((body) => ({ ...body, ifRoot: digestOf("old") })),
  );
  await refusedAs(
    "GENERATION_MOVED",
    412,
    send((body) => ({ ...body, ifGeneration: 7 })),
  );
});

test("a stale epoch is refused and leaves the machine unchanged; a jump needs an operator", async () => {
  await refusedAs("EPOCH_STALE", 409, mini.ask("/v1/statements", { method: "PUT", body: {}, epoch: 4 }));
  await refusedAs("EPOCH_STALE", 409, mini.ask("/v1/epoch", { method: "PUT", body: { epoch: 4, hub: "old" } }));
  await refusedAs("EPOCH_JUMP", 409, mini.ask("/v1/epoch", { method: "PUT", body: { epoch: 1006, hub: "far" } }));
  await refusedAs(
    "EPOCH_STALE",
    409,
    send((body) => ({ ...body, epoch: 4 })),
  );
  assert.equal((await mini.hello()).epoch, 5);
});

test("a change without an epoch, another wire version, an unknown route or member, and a body that is no JSON are refused", async () => {
  await refusedAs(
    "REQUEST_MALFORMED",
    400,
    mini.ask("/v1/bindings", { method: "PUT", body: { envelopes: [], tombstones: [] }, headers: { "mooring-epoch": "" } }),
  );
  await refusedAs("WIRE_VERSION", 426, mini.ask("/v1/hello", { headers: { "mooring-wire": "2" } }));
  await refusedAs("ROUTE_UNKNOWN", 404, mini.ask("/v2/hello"));
  await refusedAs("REQUEST_MALFORMED", 400, mini.ask("/v1/bindings", { method: "PUT", body: { envelopes: [], tombstones: [], more: 1 } }));
  await refusedAs("REQUEST_MALFORMED", 400, mini.ask("/v1/plans", { method: "POST", bytes: new Uint8Array([0xff, 0x7b]) }));
  await refusedAs("REQUEST_MALFORMED", 400, mini.ask("/v1/attest", { method: "POST", body: { nonce: "" } }));
  await refusedAs("NOT_YET", 501, mini.ask("/v1/resolve", { method: "POST", body: {} }));
});

test("a huge body is refused before it is read", async () => {
  await refusedAs(
    "BODY_TOO_LARGE",
    413,
    mini.ask("/v1/plans", { method: "POST", headers: { "content-length": String(8 * 1024 * 1024), expect: "100-continue" } }),
  );
});

test("a pack with other bytes than its digest, and one that nobody asked for, are refused", async () => {
  const { bytes } = fleet.packFor("mini-01", plugin);
  const wrong = digestOf("other");
  await refusedAs("PACK_CORRUPT", 422, mini.ask(`/v1/packs/${wrong}`, { method: "PUT", bytes, headers: { "upload-offset": "0" } }));
  const stray = await fleet.plugin("stray", 1, { "main.js": "1;\n" });
  await refusedAs("PACK_UNWANTED", 422, mini.sendPack(fleet, stray));
});

test("a pack goes on where it was cut, and only there", async () => {
  const { bytes, digest } = fleet.packFor("mini-01", plugin);
  const half = Math.floor(bytes.length / 2);
  await cutUpload(digest, bytes, half);
  await refusedAs(
    "OFFSET_OTHER",
    409,
    mini.ask(`/v1/packs/${digest}`, { method: "PUT", bytes: bytes.subarray(3), headers: { "upload-offset": "3" } }),
  );
  const at = Number((await mini.ask(`/v1/packs/${digest}`, { method: "HEAD" })).headers["upload-offset"]);
  assert.equal(at, half);
  const rest = await mini.ask(`/v1/packs/${digest}`, {
    method: "PUT",
    bytes: bytes.subarray(at),
    headers: { "upload-offset": String(at) },
  });
  assert.equal(rest.status, 201, rest.text);
});

/** Sends the head of a pack and tears the channel down. */
async function cutUpload(digest: string, bytes: Uint8Array, upTo: number): Promise<void> {
  const socket = connect(join(mini.layout.run, "agent.sock"));
  const head = `PUT /v1/packs/${digest} HTTP/1.1\r\nHost: a\r\nMooring-Wire: 1\r\nMooring-Epoch: 5\r\nUpload-Offset: 0\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  socket.write(head);
  socket.write(bytes.subarray(0, upTo));
  for (;;) {
    const at = Number((await mini.ask(`/v1/packs/${digest}`, { method: "HEAD" })).headers["upload-offset"]);
    if (at === upTo) break;
  }
  socket.destroy();
  await new Promise((resolve) => socket.once("close", resolve));
}

test("paths that leave the audit log name nothing", async () => {
  for (const path of [
    "tile/../../keys",
    "..%2f..%2fkeys",
    "tile/0/000.p/0",
    "tile/entries/../../../state/epoch.json",
    "checkpoint/",
    "journal",
    "//etc/passwd",
  ])
    await refusedAs("AUDIT_PATH_UNKNOWN", 404, mini.ask(`/v1/audit/${path}`).then(asUnknown));
});

/** A path that the URL parser already folded away is no route at all. */
function asUnknown(reply: Reply): Reply {
  const code = (reply.json as { code?: string } | null)?.code;
  return code === "ROUTE_UNKNOWN" ? { ...reply, json: { code: "AUDIT_PATH_UNKNOWN" } as never } : reply;
}

test("an expired release is refused", async () => {
  mini.clock.skewMs = 40 * 86_400_000;
  await refusedAs(
    "RELEASE_EXPIRED",
    422,
    send((body) => ({ ...body, revision: "f".repeat(40) as typeof body.revision })),
  );
  mini.clock.skewMs = 0;
});

test("a replayed older release is refused", async () => {
  const old = fleet.applyFor("mini-01", { epoch: 5, ifRoot: (await mini.hello()).root, ifGeneration: 1 }).body;
  fleet.put("mini-01", { ...plugin.section, config: { n: 2 } });
  fleet.release();
  assert.equal((await mini.converge(fleet, plugin)).at, "done");
  const { root, generation } = await mini.hello();
  const body = { ...old, ifRoot: root, ifGeneration: generation };
  await refusedAs("SERIAL_OLD", 422, mini.ask(`/v1/applies/${applyIdOf(body)}`, { method: "PUT", body }));
});
