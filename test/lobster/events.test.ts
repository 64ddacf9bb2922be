import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FleetFixture } from "#test/support/fleet-fixture.ts";
import { parseEvents, poll, TestAgent } from "./support.ts";

let fleet: FleetFixture;
let mini: TestAgent;

before(async () => {
  fleet = new FleetFixture();
  mini = await TestAgent.make(fleet);
  for (let epoch = 1; epoch <= 3; epoch++) await mini.ask("/v1/epoch", { method: "PUT", body: { epoch, hub: "h" } });
  mini.epoch = 3;
});
after(async () => {
  await mini.close();
  fleet.close();
});

type Reader = { text: string; readonly res: IncomingMessage; readonly stop: () => void };

async function read(headers: Readonly<Record<string, string>> = {}): Promise<Reader> {
  const asked = request({
    socketPath: join(mini.layout.run, "agent.sock"),
    path: "/v1/events",
    headers: { "mooring-wire": "1", ...headers },
    agent: false,
  });
  asked.end();
  asked.on("error", () => null);
  const [res] = (await once(asked, "response")) as [IncomingMessage];
  const reader: Reader = { text: "", res, stop: () => asked.destroy() };
  res.setEncoding("utf8");
  res.on("data", (part: string) => (reader.text += part));
  res.on("error", () => null);
  return reader;
}

function has(reader: Reader, text: string): Promise<true> {
  return poll(() => (reader.text.includes(text) ? true : undefined));
}

test("a stream begins with hello, replays without holes, then says the root", async () => {
  const reader = await read();
  await has(reader, "event: root");
  assert.match(reader.text, /^event: hello\n/);
  assert.deepEqual(
    parseEvents(reader.text).map((event) => event.seq),
    [1, 2, 3],
  );
  assert.match(reader.text, /id: [0-9a-f-]+\.3\n/);
  reader.stop();
});

test("Last-Event-ID goes on after it; an id of another stream replays all", async () => {
  const { stream } = await mini.hello();
  const reader = await read({ "last-event-id": `${stream.id}.2` });
  await has(reader, "event: root");
  assert.deepEqual(
    parseEvents(reader.text).map((event) => event.seq),
    [3],
  );
  const other = await read({ "last-event-id": "other.2" });
  await has(other, "event: root");
  assert.equal(parseEvents(other.text).length, 3);
  await has(reader, "event: bye");
  await poll(() => reader.res.closed || undefined);
  other.stop();
});

test("a live reader gets new events and the new root", async () => {
  const reader = await read();
  await has(reader, "event: root");
  fleet.put("mini-01", { kind: "sshd", settings: { PasswordAuthentication: "no" } });
  fleet.release();
  await mini.converge(fleet);
  await has(reader, '"kind":"apply.done"');
  await has(reader, `"root":"${fleet.rootOf("mini-01")}"`);
  reader.stop();
});

test("acked events are gone, acks of others are refused, a lower epoch gets no stream", async () => {
  const { stream } = await mini.hello();
  const ack = (body: unknown, epoch = 3) => mini.ask("/v1/events/ack", { method: "PUT", body, epoch });
  assert.equal((await ack({ stream: stream.id, seq: 2 })).status, 204);
  assert.equal((await mini.hello()).stream.first, 3);
  assert.equal(((await ack({ stream: "x", seq: 3 })).json as { code: string }).code, "EVENTS_STREAM_OTHER");
  assert.equal(((await ack({ stream: stream.id, seq: 99 })).json as { code: string }).code, "EVENTS_SEQ_UNKNOWN");
  assert.equal(((await ack({ stream: stream.id, seq: 3 }, 2)).json as { code: string }).code, "EPOCH_STALE");
  assert.equal((await mini.ask("/v1/events", { headers: { "mooring-epoch": "2" } })).status, 409);
  await mini.stop();
  await mini.start();
  assert.deepEqual((await mini.hello()).stream.id, stream.id);
  assert.equal((await mini.hello()).stream.first, 3);
});

test("an idle channel stays open and a pipeline of requests is answered in order", async () => {
  const socket = connect(join(mini.layout.run, "agent.sock"));
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => (text += part));
  const ask = "GET /v1/hello HTTP/1.1\r\nHost: a\r\nMooring-Wire: 1\r\n\r\n";
  socket.write(ask);
  await poll(() => (text.includes('"now"') ? true : undefined));
  socket.write(ask + ask);
  await poll(() => (text.split("HTTP/1.1 200").length === 4 ? true : undefined));
  assert.doesNotMatch(text, /Keep-Alive: timeout/);
  socket.destroy();
});

test("GET live is conditional on up to two roots", async () => {
  const { root } = await mini.hello();
  assert.equal((await mini.ask("/v1/live", { headers: { "if-none-match": `"sha256:${"0".repeat(64)}", "${root}"` } })).status, 304);
  assert.equal((await mini.ask("/v1/live", { headers: { "if-none-match": `"sha256:${"0".repeat(64)}"` } })).status, 200);
});

test("the machine plans by itself", async () => {
  const plugin = await fleet.plugin("greeter", 1, { "main.js": "1;\n" });
  fleet.put("mini-01", plugin.section);
  const desired = Buffer.from(fleet.desiredOf("mini-01")).toString("base64");
  const { steps } = (await mini.ask("/v1/plans", { method: "POST", body: { desired } })).json as { steps: { key: string; verb: string }[] };
  assert.deepEqual(steps.map(({ key, verb }) => `${verb} ${key}`).sort(), ["add plugin/greeter", "change identity"]);
});

test("missing blobs are named", async () => {
  const digest = `sha256:${"1".repeat(64)}`;
  assert.deepEqual((await mini.ask("/v1/blobs/missing", { method: "POST", body: { digests: [digest] } })).json, { missing: [digest] });
});

test("the audit log's checkpoint comes as its bytes", async () => {
  const reply = await mini.ask("/v1/audit/checkpoint");
  assert.equal(reply.status, 200, reply.text);
  assert.match(reply.text, /mini-01/);
});
