import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { Duplex } from "node:stream";
import { join } from "node:path";
import { after, test } from "node:test";
import { readBundle } from "#bundle/read/index.ts";
import { assembleGreeter, packGreeter } from "../../examples/plugins/build.ts";

const dir = await mkdtemp(join(tmpdir(), "mg-"));
after(() => rm(dir, { recursive: true }));

test("the greeter packs to the same digest each time, and to another one for another version", async () => {
  const [one, again, next] = [await packGreeter("1.0.0"), await packGreeter("1.0.0"), await packGreeter("1.1.0")];
  assert.equal(one.digest, again.digest);
  assert.deepEqual(one.tgz, again.tgz);
  assert.notEqual(one.digest, next.digest);
  assert.deepEqual(one.manifest, { id: "greeter", version: "1.0.0", main: "dist/main.js" });
  assert.deepEqual(
    readBundle(next.tgz).map((file) => file.path),
    ["dist/main.js", "dist/vendor/sdk.js", "openclaw.plugin.json", "package.json"],
  );
  // Only the version differs between the two.
  assert.deepEqual(
    one.files.filter((file, i) => file[3] !== next.files[i]?.[3]).map(([path]) => path),
    ["package.json"],
  );
});

test("the greeter says its version at the start and ends when no bridge is there", async () => {
  await assembleGreeter("1.1.0", dir);
  const child = spawn(process.execPath, [join(dir, "dist", "main.js")], { env: {}, stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  child.stdout.on("data", (part) => (out += part));
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(out, "greeter 1.1.0 started\n");
  assert.notEqual(code, 0);
});

/** A frame of the fd-3 protocol: u32 length, type, payload. */
function frame(type: number, ...payload: Uint8Array[]): Uint8Array {
  const body = Buffer.concat([Uint8Array.of(type), ...payload]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  return Buffer.concat([size, body]);
}

test("the greeter uses its secret again and again, says so, and never prints it", async () => {
  const tree = join(dir, "fd");
  await assembleGreeter("1.0.0", tree);
  const child = spawn(process.execPath, [join(tree, "dist", "main.js")], { env: {}, stdio: ["ignore", "pipe", "ignore", "pipe"] });
  assert.ok(child.stdout !== null);
  const bridge = child.stdio[3] as Duplex;
  const asked: string[] = [];
  bridge.on("data", (chunk: Buffer) => {
    if (chunk[4] !== 0x02) return; // an ACK alone
    const id = chunk.subarray(5, 9);
    asked.push(chunk.subarray(9, 4 + chunk.readUInt32BE(0)).toString());
    if (asked.length === 1) bridge.write(frame(0x03, id, Buffer.from("hunter2!")));
    else bridge.write(frame(0x04, id, Buffer.from(JSON.stringify({ code: "SECRET_REVOKED", message: "gone", retry: false }))));
  });
  bridge.on("error", () => {}); // the child is killed below
  bridge.write(frame(0x01, Buffer.from(JSON.stringify({ v: 1, plugin: "greeter", refs: [] }))));
  let out = "";
  for await (const part of child.stdout) {
    out += String(part);
    if (out.includes("refused")) break;
  }
  const closed = new Promise((resolve) => child.on("close", resolve));
  child.kill("SIGKILL");
  await closed;
  assert.equal(out, "greeter 1.0.0 started\ngreeting ok (8 bytes, use 1)\ngreeting refused: SECRET_REVOKED\n");
  assert.deepEqual(asked, ["secret://team/greeting", "secret://team/greeting"]);
});
