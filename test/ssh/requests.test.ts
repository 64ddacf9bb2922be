import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import type { SignedLease } from "#schemas/wire/index.ts";
import { digestOf } from "#base/canonical/index.ts";
import { makeServer } from "#lobster/serve/http.ts";
import { startSshd } from "#test/support/sshd.ts";
import { HELLO, json, until, World } from "./world.ts";

let world: World;
before(async () => {
  world = await World.open(startSshd);
});
after(() => world.close());

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const body = JSON.stringify(HELLO);
const answer = (rest: string): string => `HTTP/1.1 200 OK\r\n${rest}`;

/** Answers each request on a channel with the next of `texts`, then does `then` to the channel. */
async function scripted(
  texts: readonly string[],
  then: (socket: Socket) => void = (socket) => socket.destroySoon(),
): Promise<{ asked: number }> {
  const count = { asked: 0 };
  await world.serveRaw((socket) => {
    socket.on("data", () => {
      socket.write(texts[Math.min(count.asked, texts.length - 1)] ?? "");
      count.asked += 1;
      then(socket);
    });
  });
  return count;
}

test("an agent that does not run is unreachable, also after its link was good", async () => {
  rmSync(world.agentSocket, { force: true });
  const client = await world.client();
  await assert.rejects(client.hello(), { code: "AGENT_UNREACHABLE" });
  await world.serve((_req, res) => json(res, HELLO));
  assert.equal((await client.hello()).machine, "mini-01");
});

test("a cut answer is no answer: by length, by chunks, by the channel's end, and after its head", async () => {
  const cuts = [
    answer(`Content-Length: ${body.length + 1}\r\n\r\n${body}`),
    answer(`Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`),
    answer(`Connection: close\r\n\r\n${body}`), // whole JSON, but nothing says that it is
    answer("Content-Length: 10\r\n\r\n"),
    "HTTP/1.1 200",
  ];
  for (const cut of cuts) {
    await scripted([cut]);
    await assert.rejects((await world.client()).hello(), { code: "AGENT_UNREACHABLE" }, cut);
  }
});

test("a GET is tried once more on a fresh channel; a change without an id is not", async () => {
  const whole = answer(`Content-Length: ${body.length}\r\n\r\n${body}`);
  const gets = await scripted([answer("Content-Length: 10\r\n\r\n"), whole]);
  assert.equal((await (await world.client()).hello()).machine, "mini-01");
  assert.equal(gets.asked, 2);
  const puts = await scripted([answer("Content-Length: 10\r\n\r\n"), answer("Content-Length: 0\r\n\r\n")]);
  await assert.rejects((await world.client()).lease({} as SignedLease, 1), { code: "AGENT_UNREACHABLE" });
  assert.equal(puts.asked, 1);
});

test("to give up a request destroys its channel; the agent sees it close and the next request has another", async () => {
  let hang = true;
  await world.serve((_req, res) => (hang ? null : json(res, HELLO)));
  const client = await world.client({ controlMs: 60 });
  const before = world.seen.length;
  await assert.rejects(client.bindings([], [], 1), { code: "AGENT_UNREACHABLE", why: "no answer in 60 ms" });
  await until(() => world.seen[before]?.closed === true);
  hang = false;
  assert.equal((await client.hello()).machine, "mini-01");
  assert.equal(world.seen.length, before + 2);
});

test("an end of input alone leaves the agent's side open, which is why a channel is destroyed", async () => {
  await world.serveRaw((socket) => socket.resume());
  const at = world.seen.length;
  const link = await world.link();
  const channel = await link.channel(new AbortController().signal);
  channel.write("x");
  await until(() => world.seen[at]?.bytesRead === 1);
  channel.end();
  // A round trip through sshd later the agent would have heard of it.
  const other = await link.channel(new AbortController().signal);
  other.write("y");
  await until(() => world.seen[at + 1]?.bytesRead === 1);
  assert.equal(world.seen[at]?.closed, false);
  channel.destroy();
  await until(() => world.seen[at]?.closed === true);
});

test("Node's own time limits cut an idle channel; the agent's server has them off", async () => {
  const server = makeServer([], async () => {}, quiet);
  assert.deepEqual([server.keepAliveTimeout, server.requestTimeout, server.timeout], [0, 0, 0]);
  await world.serve((_req, res) => json(res, HELLO), { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0 });
  const client = await world.client();
  await client.hello();
  await until(() => world.seen.at(-1)?.closed === true);
  assert.equal((await client.hello()).machine, "mini-01", "the next request finds another channel");
});

test("Node's limit on a whole request cuts a long upload; the agent's own limit is on silence alone", async () => {
  const slow = await world.serve((req) => req.resume(), { requestTimeout: 30, headersTimeout: 30, connectionsCheckingInterval: 10 });
  slow.on("checkContinue", (req, res) => {
    if (req.method === "PUT") res.writeContinue();
  });
  slow.removeAllListeners("request");
  slow.on("request", (req, res) => (req.method === "HEAD" ? res.writeHead(200).end() : req.resume()));
  const link = await world.link();
  const channel = await link.channel(new AbortController().signal);
  channel.write("PUT /v1/packs/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  let text = "";
  channel.on("data", (part: Buffer) => (text += part.toString()));
  await until(() => text.startsWith("HTTP/1.1 408"));
});

test("a big body that is refused before it is sent leaves the way free for the next request", async () => {
  const routes = [
    { method: "HEAD", path: "/v1/packs/:digest", isChange: false, run: async () => ({ status: 200, headers: { "upload-offset": "0" } }) },
    {
      method: "PUT",
      path: "/v1/packs/:digest",
      isChange: true,
      maxBytes: 10,
      run: async (call: { readonly json: (schema: never) => Promise<unknown> }) => ({ status: 200, json: await call.json({} as never) }),
    },
    { method: "GET", path: "/v1/hello", isChange: false, run: async () => ({ status: 200, json: HELLO }) },
  ];
  await world.listen(makeServer(routes, async () => {}, quiet));
  const client = await world.client();
  const bytes = Buffer.alloc(3 * 1024 * 1024);
  for (let i = 0; i < 3; i++) await assert.rejects(client.putPack(digestOf(bytes), bytes, 1), { code: "BODY_TOO_LARGE" });
  assert.equal((await client.hello()).machine, "mini-01");
});

test("a problem document is thrown as the error it names, and an unknown code as a refusal", async () => {
  const problem = { code: "EPOCH_STALE", message: "a higher epoch", fix: "f", disposition: "refused", have: 7 };
  await world.serve((_req, res) => json(res, problem, 409));
  const client = await world.client();
  await assert.rejects(client.claim(6, "hub"), { code: "EPOCH_STALE", have: 7 });
  await world.serve((_req, res) => json(res, { ...problem, code: "FROM_THE_FUTURE" }, 422));
  await assert.rejects((await world.client()).claim(6, "hub"), { code: "AGENT_REFUSED", why: "the machine says FROM_THE_FUTURE" });
  await world.serve((_req, res) => json(res, { oops: 1 }, 500));
  await assert.rejects((await world.client()).claim(6, "hub"), { code: "AGENT_ANSWER_MALFORMED" });
});

test("an answer of another form is malformed", async () => {
  for (const wrong of [{}, { ...HELLO, epoch: -1 }, [], null, "text"]) {
    await world.serve((_req, res) => json(res, wrong));
    await assert.rejects((await world.client()).hello(), { code: "AGENT_ANSWER_MALFORMED" });
  }
});
