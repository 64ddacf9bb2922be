import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

const ENTRY = join(import.meta.dirname, "../../egress/main.ts");

async function egress(t: TestContext): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "meg-"));
  const path = join(dir, "e.sock");
  const child = fork(ENTRY, [path], { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  t.after(async () => {
    child.disconnect();
    await once(child, "exit");
    rmSync(dir, { recursive: true });
  });
  await once(child, "message");
  return path;
}

/** Everything the proxy answers to `bytes` until it closes. */
async function send(path: string, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  socket.write(bytes);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test("every request is refused with a problem document and the connection closed", async (t) => {
  const path = await egress(t);
  for (const request of [
    "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n",
    "GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
    "POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\nabc",
    "POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
  ]) {
    const text = await send(path, request);
    assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n/, request);
    const body = JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4).split("HTTP/1.1")[0] ?? "") as { code: string };
    assert.equal(body.code, "EGRESS_DENIED");
  }
});

test("what is no HTTP, or has no end, is cut, and the next one is still answered", async (t) => {
  const path = await egress(t);
  for (const bytes of [
    new Uint8Array(1_000),
    "GET / HTTP/9.9\r\n\r\n",
    `GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`,
    `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(20_000)}\r\n`,
    "CONNECT \r\n\r\n",
    "\u0016\u0003\u0001\u0002\u0000",
  ]) {
    assert.ok(!(await send(path, bytes)).startsWith("HTTP/1.1 2"));
  }
  const idle = Array.from({ length: 300 }, () => connect(path).on("error", () => undefined));
  for (const socket of idle) socket.write("GET / HT");
  for (const socket of idle.slice(0, 200)) socket.destroy();
  assert.match(await send(path, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").catch(() => ""), /^(HTTP\/1\.1 403|$)/);
  for (const socket of idle) socket.destroy();
  let text = "";
  for (let tries = 0; text === "" && tries < 50; tries++) text = await send(path, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(text, /^HTTP\/1\.1 403/);
});

test("an old socket is taken over, a file in its place is left alone", async (t) => {
  const path = await egress(t);
  const second = fork(ENTRY, [path], { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  await once(second, "message");
  assert.match(await send(path, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), /403/);
  second.disconnect();
  await once(second, "exit");
  writeFileSync(`${path}.f`, "mine");
  const third = fork(ENTRY, [`${path}.f`], { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  assert.deepEqual(await once(third, "exit"), [1, null]);
});
