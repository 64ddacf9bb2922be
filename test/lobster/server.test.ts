import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as z from "zod/mini";
import type { Hello } from "#schemas/wire/index.ts";
import { eventStreams, openJournal } from "#lobster/events/index.ts";
import { makeServer, type Route } from "#lobster/serve/http.ts";
import { askSocket, poll } from "./support.ts";

let folder: string;
let socketPath: string;
let server: Server;
const logged: string[] = [];
const log = { info: () => {}, warn: () => {}, error: (_fields: unknown, message: string) => void logged.push(message) };

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sv-"));
  socketPath = join(folder, "s");
  const journal = await openJournal(join(folder, "events"), Date.now, () => "s1");
  for (let i = 0; i < 3000; i++) if (i % 1000 === 0) await journal.append("epoch.raised", { epoch: i, paths: ["x".repeat(400_000)] });
  const head = { root: "r", generation: 1, observedGeneration: 1 };
  const streams = eventStreams(
    { journal, hello: () => ({}) as Hello, head: () => head, onHead: () => () => {}, now: () => "n" },
    { beatMs: 20, stallMs: 60 },
  );
  const routes: Route[] = [
    { method: "GET", path: "/events", isChange: false, run: async ({ res }) => (streams.open(res, null), null) },
    {
      method: "PUT",
      path: "/slow",
      isChange: false,
      stallMs: 40,
      run: async (call) => ({ status: 200, json: await call.json(z.strictObject({ a: z.number() })) }),
    },
    {
      method: "PUT",
      path: "/small",
      isChange: false,
      maxBytes: 10,
      run: async (call) => ({ status: 200, json: await call.json(z.unknown()) }),
    },
    {
      method: "GET",
      path: "/broken",
      isChange: false,
      run: async () => {
        throw new Error("text with a token");
      },
    },
  ];
  server = makeServer(routes, async () => {}, log);
  server.listen(socketPath);
  await once(server, "listening");
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function raw(text: string): Promise<{ readonly socket: Socket; readonly text: () => string }> {
  const socket = connect(socketPath);
  let got = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => (got += part));
  socket.on("error", () => null);
  socket.write(text);
  return { socket, text: () => got };
}

test("a body that stops coming is refused and its channel closed", async () => {
  const { socket, text } = await raw('PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n{"a"');
  await poll(() => (text().includes("BODY_STALLED") ? true : undefined));
  assert.match(text(), /^HTTP\/1.1 408/);
  await poll(() => (socket.closed ? true : undefined));
});

test("a big body is asked for only after it is allowed", async () => {
  const small = await raw("PUT /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  await poll(() => (small.text().startsWith("HTTP/1.1 100") ? true : undefined));
  small.socket.write('"abc"');
  await poll(() => (small.text().includes("HTTP/1.1 200") ? true : undefined));
  small.socket.destroy();
  const big = await raw("PUT /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  await poll(() => (big.text().includes("BODY_TOO_LARGE") ? true : undefined));
  assert.match(big.text(), /^HTTP\/1.1 413/);
  big.socket.destroy();
});

test("a body without a length, or shorter than its length, is refused", async () => {
  const chunked = await raw('PUT /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n');
  await poll(() => (chunked.text().includes("REQUEST_MALFORMED") ? true : undefined));
  chunked.socket.destroy();
});

test("what breaks inside the agent is told without its text", async () => {
  const reply = await askSocket(socketPath, "/broken", {});
  assert.equal(reply.status, 500);
  assert.equal((reply.json as { code: string }).code, "AGENT_FAULT");
  assert.doesNotMatch(reply.text, /token/);
  assert.equal(logged.length, 1);
});

test("a reader that takes nothing is cut; one that reads gets its beat", async () => {
  const ask = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";
  const reader = await raw(ask);
  await poll(() => (reader.text().split("event: beat").length > 2 ? true : undefined));
  reader.socket.destroy();
  const stalled = connect(socketPath);
  stalled.on("error", () => null);
  stalled.write(ask);
  stalled.pause();
  await poll(async () => ((await connections()) === 0 ? true : undefined));
  stalled.destroy();
});

function connections(): Promise<number> {
  return new Promise((resolve, reject) => server.getConnections((err, count) => (err === null ? resolve(count) : reject(err))));
}
