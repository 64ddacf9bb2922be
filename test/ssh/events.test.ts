import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Events } from "#reconciler/agents/index.ts";
import { startSshd } from "#test/support/sshd.ts";
import { HELLO, json, until, World } from "./world.ts";

let world: World;
before(async () => {
  world = await World.open(startSshd);
});
after(() => world.close());

function heard(): { readonly on: Events; readonly log: string[] } {
  const log: string[] = [];
  return {
    log,
    on: {
      onHello: ({ machine }) => log.push(`hello ${machine}`),
      onRoot: ({ generation }) => log.push(`root ${generation}`),
      onEvent: (_event, id) => log.push(`event ${id}`),
    },
  };
}

const frame = (name: string, data: unknown, id = ""): string => `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const event = frame("event", { stream: "s", seq: 1, at: HELLO.now, kind: "gap", data: {} }, "id: s.1\n");

test("hello, root and durable events are heard until the agent ends the stream", async () => {
  const asked: unknown[] = [];
  await world.serve((req, res) => {
    asked.push(req.url, req.headers["last-event-id"], req.headers["mooring-epoch"]);
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(frame("hello", HELLO));
    res.write(frame("root", { root: HELLO.root, generation: 3, observedGeneration: 3 }));
    res.end(`${event}${frame("bye", {})}`);
  });
  const { on, log } = heard();
  await (await world.client()).events("s.0", 7, on);
  assert.deepEqual(asked, ["/v1/events", "s.0", "7"]);
  assert.deepEqual(log, ["hello mini-01", "root 3", "event s.1"]);
});

test("silence is death: without a beat in time the machine is unreachable, and its channel is freed", async () => {
  await world.serve((_req, res) => void res.writeHead(200).write(frame("hello", HELLO)));
  const client = await world.client({ deadAfterMs: 150 });
  const { on, log } = heard();
  await assert.rejects(client.events(null, 1, on), { code: "AGENT_UNREACHABLE" });
  assert.deepEqual(log, ["hello mini-01"]);
  await until(() => world.seen.at(-1)?.closed === true);
});

test("beats keep a stream alive longer than its time of death", async () => {
  let beats = 0;
  await world.serve((_req, res) => {
    res.writeHead(200);
    const timer = setInterval(() => {
      beats += 1;
      res.write(frame("beat", { now: HELLO.now, root: HELLO.root }));
      if (beats === 40) {
        clearInterval(timer);
        res.end();
      }
    }, 10);
  });
  await (await world.client({ deadAfterMs: 300 })).events(null, 1, heard().on);
  assert.equal(beats, 40);
});

test("a stream under a lower epoch is refused with the error's own name", async () => {
  await world.serve((_req, res) => json(res, { code: "EPOCH_STALE", message: "m", disposition: "refused", have: 9 }, 409));
  await assert.rejects((await world.client()).events(null, 1, heard().on), { code: "EPOCH_STALE", have: 9 });
});

test("a frame beyond all bounds ends the stream", async () => {
  await world.serve((_req, res) => void res.writeHead(200).write(`data: ${"x".repeat(300 * 1024)}`));
  await assert.rejects((await world.client()).events(null, 1, heard().on), { code: "AGENT_ANSWER_MALFORMED" });
});

test("a link that dies ends the stream without an error: the hub reconnects and asks after the last id", async () => {
  await world.serve((_req, res) => void res.writeHead(200).write(frame("hello", HELLO)));
  const client = await world.client();
  const { on, log } = heard();
  const ended = client.events(null, 1, on);
  await until(() => log.length === 1);
  client.link.close();
  await ended;
});
