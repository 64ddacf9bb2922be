import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import fc from "fast-check";
import { canonBytes, type Json } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { packFiles } from "#bundle/pack/index.ts";
import { decodeUnpacked, encodeRefusal, encodeUnpacked, type UnpackCommand, unpackInChild } from "#bundle/read/index.ts";
import { gzip } from "#bundle/gzip.ts";
import { writeTar } from "#bundle/tar.ts";
import { file, pluginFiles } from "./support.ts";

const child: UnpackCommand = { exec: process.execPath, args: [fileURLToPath(import.meta.resolve("#bundle/read/child.ts"))] };
const program = (text: string): UnpackCommand => ({ exec: process.execPath, args: ["-e", text] });
const packed = packFiles(pluginFiles("demo", "1.0.0", [file("big.txt", "x".repeat(300_000))]));

test("the child reads an archive and the parent gets checked files with their hashes", async () => {
  const files = await unpackInChild(child, packed.tgz);
  assert.deepEqual(
    files.map((one) => [one.path, one.mode, one.bytes.length, one.sha256]),
    packed.files,
  );
});

test("a refusal of the child keeps its code", async () => {
  await assert.rejects(unpackInChild(child, packed.tgz.subarray(0, 100)), { code: "BUNDLE_MALFORMED" });
  await assert.rejects(unpackInChild(child, gzip(writeTar([file("a", ""), file("A", "")]))), { code: "BUNDLE_PATH_REFUSED" });
});

test("a child that dies, lies, floods, hangs or cannot start is one error, and the child is gone", async () => {
  const failed = { code: "UNPACK_FAILED" };
  await assert.rejects(unpackInChild(program("process.exit(3)"), packed.tgz), failed);
  await assert.rejects(unpackInChild(program("process.stdout.write('nonsense')"), packed.tgz), failed);
  await assert.rejects(unpackInChild({ exec: "/nonexistent/node", args: [] }, packed.tgz), failed);
  const small = { archiveBytes: 1000, treeBytes: 1000, files: 2, depth: 2 };
  const flood = program("const b=Buffer.alloc(65536);(function f(){process.stdout.write(b,f)})()");
  await assert.rejects(unpackInChild(flood, new Uint8Array(1), { limits: small }), failed);
  await assert.rejects(unpackInChild(program("setInterval(()=>{},1000)"), packed.tgz, { timeoutMs: 200 }), { code: "DEADLINE_PASSED" });
});

test("the child's environment is empty", async () => {
  const spy = program("const n=Object.keys(process.env).length;process.exit(n===0?0:9)");
  await assert.rejects(unpackInChild(spy, packed.tgz), (err) => err instanceof MooringError && err.why === "its output is cut");
});

const raw = (header: Json, contents = ""): Uint8Array => {
  const bytes = canonBytes(header);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return new Uint8Array(Buffer.concat([size, bytes, Buffer.from(contents)]));
};
const entry = (path: Json, mode: Json = 0o644, size: Json = 0): Json => [path, mode, size];

test("frames of a child that was taken over are held to the same rules", () => {
  assert.equal(decodeUnpacked(raw({ v: 1, files: [entry("a", 0o644, 2)] }, "xy"))[0]?.bytes.length, 2);
  const refused = (bytes: Uint8Array, code: string): void => assert.throws(() => decodeUnpacked(bytes), { code });
  for (const path of ["../a", "/a", "a//b", "a\\b"]) refused(raw({ v: 1, files: [entry(path)] }), "BUNDLE_PATH_REFUSED");
  refused(raw({ v: 1, files: [entry("A"), entry("a")] }), "BUNDLE_PATH_REFUSED");
  for (const header of [
    { v: 2, files: [entry("a")] },
    { v: 1, files: [] },
    { v: 1, files: {} },
    { v: 1, files: [entry("a")], extra: 1 },
    { v: 1, files: [entry("b"), entry("a")] },
    { v: 1, files: [entry("a"), entry("a")] },
    { v: 1, files: [entry("a", 0o777)] },
    { v: 1, files: [entry("a", 0o644, -1)] },
    { v: 1, files: [entry("a", 0o644, 1)] },
    { v: 1, files: [["a", 0o644, 0, 0]] },
    { v: 1, files: ["a"] },
    { v: 1, refused: { code: "NOT_YET", message: "", why: "" } },
    { v: 1, refused: { code: "BUNDLE_NONSENSE", message: "", why: "" } },
    [],
  ] as Json[])
    refused(raw(header), "UNPACK_FAILED");
  refused(raw({ v: 1, files: [entry("a")] }, "surplus"), "UNPACK_FAILED");
  refused(new Uint8Array(3), "UNPACK_FAILED");
  refused(encodeRefusal(new MooringError("BUNDLE_TOO_LARGE", "x", { why: "y" })), "BUNDLE_TOO_LARGE");
});

test("any damage to a child's output gives one of our errors or files that still obey the rules", () => {
  const good = encodeUnpacked(pluginFiles().toSorted((a, b) => (a.path < b.path ? -1 : 1)));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, byte, cut) => {
      const bytes = cut ? good.slice(0, at) : good.slice();
      if (!cut) bytes[at] = byte;
      try {
        decodeUnpacked(bytes);
      } catch (err) {
        assert.ok(err instanceof MooringError, String(err));
      }
    }),
    { numRuns: 500 },
  );
});
