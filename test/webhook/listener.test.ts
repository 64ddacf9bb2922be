import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { lineLog } from "#base/log/index.ts";
import { listenForWebhooks, type Webhooks } from "#reconciler/webhook/index.ts";

const SECRET = "correct horse battery staple";
const NEXT = "a second secret of good length";
const PUSH = JSON.stringify({ ref: "refs/heads/main", after: "x" });

type Bench = { readonly hooks: Webhooks; readonly secretFile: string; readonly lines: string[]; notices: number; now: number };

async function makeBench(t: TestContext, requestMs = 2_000): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "wh-"));
  const secretFile = join(folder, "secrets");
  writeFileSync(secretFile, `# of the forge\n\n${SECRET}\n`);
  const lines: string[] = [];
  const bench = { secretFile, lines, notices: 0, now: 1_790_000_000_000 } as unknown as { -readonly [K in keyof Bench]: Bench[K] };
  bench.hooks = await listenForWebhooks({
    host: "127.0.0.1",
    port: 0,
    secretFile,
    branches: ["main", "mooring/releases"],
    onNotice: () => (bench.notices += 1),
    clock: () => bench.now,
    log: lineLog(
      (line) => lines.push(line),
      () => bench.now,
    ),
    requestMs,
  });
  t.after(async () => {
    await bench.hooks.close();
    rmSync(folder, { recursive: true });
  });
  return bench;
}

const github = (body: string | Buffer, secret = SECRET): Record<string, string> => ({
  "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
});

type Sent = { method?: string; path?: string; body?: string | Buffer; headers?: Record<string, string | string[]> };

function send({ hooks }: Bench, { method = "POST", path = "/webhook", body = PUSH, headers = github(body) }: Sent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port: hooks.address.port, method, path, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.end(method === "POST" ? body : undefined);
  });
}

test("a signed push is noticed; what is unsigned, wrong, elsewhere or another method is not", async (t) => {
  const bench = await makeBench(t);
  assert.equal(await send(bench, {}), 202);
  assert.equal(bench.notices, 1);
  assert.equal(await send(bench, { headers: { "x-gitlab-token": SECRET } }), 202);
  assert.equal(await send(bench, { body: "payload=x" }), 202); // GitHub's other media type
  assert.equal(bench.notices, 3);
  assert.equal(await send(bench, { headers: {} }), 401);
  assert.equal(await send(bench, { headers: github(`${PUSH} `) }), 401);
  assert.equal(await send(bench, { headers: { "x-gitlab-token": [SECRET, SECRET] } }), 401);
  assert.equal(await send(bench, { path: "/" }), 404);
  assert.equal(await send(bench, { path: "/webhook/x" }), 404);
  for (const method of ["GET", "PUT", "DELETE", "PATCH"]) assert.equal(await send(bench, { method }), 405);
  assert.equal(await send(bench, { headers: { ...github(PUSH), "x-github-event": "ping" } }), 200);
  assert.equal(await send(bench, { body: '{"ref":"refs/heads/other"}' }), 200);
  assert.equal(await send(bench, { body: '{"ref":"refs/heads/mooring/releases"}' }), 202);
  assert.equal(bench.notices, 4);
  assert.ok(!bench.lines.join("\n").includes(SECRET));
  assert.equal(bench.lines.filter((line) => line.includes("webhooks refused")).length, 1); // the rest is counted in silence
});

test("a secret is rolled under a running hub: both count, then the new one alone; a broken file admits nobody", async (t) => {
  const bench = await makeBench(t);
  assert.equal(await send(bench, { headers: github(PUSH, NEXT) }), 401);
  writeFileSync(bench.secretFile, `${SECRET}\n${NEXT}\n`);
  for (const secret of [SECRET, NEXT]) assert.equal(await send(bench, { headers: github(PUSH, secret) }), 202);
  writeFileSync(bench.secretFile, `${NEXT}\n`);
  assert.equal(await send(bench, {}), 401);
  assert.equal(await send(bench, { headers: github(PUSH, NEXT) }), 202);
  writeFileSync(bench.secretFile, "short\n");
  assert.equal(await send(bench, { headers: github(PUSH, "short") }), 503);
  rmSync(bench.secretFile);
  assert.equal(await send(bench, { headers: github(PUSH, "") }), 503);
});

test("no hub starts with no secret, a short one, or on a port that is taken", async (t) => {
  const bench = await makeBench(t);
  const options = {
    host: "127.0.0.1",
    port: bench.hooks.address.port,
    secretFile: bench.secretFile,
    branches: [],
    onNotice: () => undefined,
  };
  const more = { clock: Date.now, log: lineLog(() => undefined, Date.now) };
  await assert.rejects(listenForWebhooks({ ...options, ...more }), { code: "WEBHOOK_PORT_TAKEN" });
  for (const text of ["", "# only this\n", "short\n", `${SECRET}\nshort\n`]) {
    writeFileSync(bench.secretFile, text);
    await assert.rejects(listenForWebhooks({ ...options, ...more, port: 0 }), { code: "WEBHOOK_SECRET_UNUSABLE" });
  }
  await assert.rejects(listenForWebhooks({ ...options, ...more, secretFile: "/nonexistent" }), { code: "WEBHOOK_SECRET_UNUSABLE" });
});

test("a timed delivery counts once, and only near its time", async (t) => {
  const bench = await makeBench(t);
  const stamp = String(bench.now / 1000);
  const signature = createHmac("sha256", SECRET).update(`m1.${stamp}.`).update(PUSH).digest("base64");
  const headers = { "webhook-id": "m1", "webhook-timestamp": stamp, "webhook-signature": `v1,${signature}` };
  assert.equal(await send(bench, { headers }), 202);
  assert.equal(await send(bench, { headers }), 200);
  assert.equal(bench.notices, 1);
  bench.now += 301_000;
  assert.equal(await send(bench, { headers }), 401);
});

test("a body over the limit is refused, by its announced length or as it comes", async (t) => {
  const bench = await makeBench(t);
  const limit = Buffer.alloc(1 << 20, "x");
  assert.equal(await send(bench, { body: limit }), 202);
  const big = Buffer.alloc((1 << 20) + 1, "x");
  const statusOf = (headers: Record<string, string>): Promise<number | string> =>
    new Promise((resolve) => {
      const request = http.request(
        { port: bench.hooks.address.port, method: "POST", path: "/webhook", headers, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      request.on("error", () => resolve("cut")); // it answered and closed while we were still sending
      if (headers["content-length"] === undefined) request.end(big);
      else request.flushHeaders();
    });
  assert.equal(await statusOf({ ...github(big), "content-length": String(1e12) }), 413);
  assert.ok([413, "cut"].includes(await statusOf({ ...github(big), "transfer-encoding": "chunked" })));
  assert.equal(bench.notices, 1);
});

test("who sends slowly, nothing, or no HTTP is cut off, and others are served meanwhile", async (t) => {
  const bench = await makeBench(t, 1_500);
  const { port } = bench.hooks.address;
  const open = (first: string): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(first);
        resolve(socket);
      });
      socket.on("error", () => socket.destroy()).resume();
    });
  const slow = await Promise.all([
    open(""),
    open("POST /webhook HTTP/1.1\r\nHost: x\r\nX-A: "),
    open(`POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`),
    open("\x16\x03\x01 hello\r\n\r\n"),
    open(`GET / HTTP/1.1\r\nHost: x\r\n${"X-Long: y\r\n".repeat(5_000)}\r\n`),
  ]);
  const drip = setInterval(() => slow.forEach((socket) => socket.writable && socket.write("a")), 40);
  assert.equal(await send(bench, {}), 202);
  await Promise.all(
    slow.map((socket) => new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())))),
  );
  clearInterval(drip);
  assert.equal(bench.notices, 1);
});

test("more connections than one forge needs are turned away, and places become free again", async (t) => {
  const bench = await makeBench(t, 1_500);
  const sockets = Array.from({ length: 80 }, () => connect(bench.hooks.address.port, "127.0.0.1"));
  const ends = sockets.map(
    (socket) =>
      new Promise<void>((resolve) =>
        socket
          .on("error", () => undefined)
          .once("close", () => resolve())
          .resume(),
      ),
  );
  await Promise.all(ends);
  assert.equal(await send(bench, {}), 202);
});

test("no bytes on the wire make a notice or break the listener", async (t) => {
  const bench = await makeBench(t);
  const line = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom(
      "POST /webhook HTTP/1.1",
      "Content-Length: 3",
      "Transfer-Encoding: chunked",
      "X-Hub-Signature-256: sha256=00",
      "Expect: 100-continue",
      "Upgrade: websocket",
      "",
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      await new Promise<void>((resolve) => {
        const socket = connect(bench.hooks.address.port, "127.0.0.1", () => socket.end(lines.join("\r\n")));
        socket
          .on("error", () => undefined)
          .once("close", () => resolve())
          .resume();
      });
    }),
    { numRuns: 60 },
  );
  assert.equal(bench.notices, 0);
  assert.equal(await send(bench, {}), 202);
});
