import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
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
