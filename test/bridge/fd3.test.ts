import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { errorFrame, helloFrame, PluginFrames, revokedFrame, valueHead } from "#bridge/device/frames.ts";
import { encodeAck, encodeGet, FrameReader } from "../../sdk/src/frames.ts";

type Vector = { readonly name: string; readonly hex: string; readonly frame: Record<string, never> };
type Vectors = Readonly<Record<"toPlugin" | "toBridge" | "refusedByPlugin" | "refusedByBridge", readonly Vector[]>>;
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/fd3.json"), "utf8")) as Vectors;
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** `bytes` in pieces as `cuts` says. */
function* pieces(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (const cut of cuts) {
    yield bytes.slice(at, at + cut);
    at += cut;
  }
  yield bytes.slice(at);
}

test("the bridge writes and the sdk reads the frames of the vectors, however they are cut", () => {
  const written: Record<string, (f: Record<string, never>) => Uint8Array> = {
    hello: (f) => helloFrame(f["plugin"]!, f["refs"]!),
    value: (f) => Buffer.concat([valueHead(f["id"]!, bytesOf(f["bytes"]!).length), bytesOf(f["bytes"]!)]),
    error: (f) => errorFrame(f["id"]!, f as never),
    revoked: (f) => revokedFrame(f["ref"]!),
  };
  for (const { hex, frame } of vectors.toPlugin) assert.equal(hexOf(written[String(frame["kind"])]!(frame)), hex);
  const all = bytesOf(vectors.toPlugin.map((v) => v.hex).join(""));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 }), (cuts) => {
      const reader = new FrameReader();
      const frames = [...pieces(all, cuts)].flatMap((piece) => reader.push(piece));
      assert.deepEqual(
        frames.map((f) => (f.kind === "value" ? { ...f, bytes: hexOf(f.bytes) } : f)),
        vectors.toPlugin.map((v) => v.frame),
      );
    }),
  );
});

test("the sdk writes and the bridge reads the frames of the vectors, however they are cut", () => {
  for (const { hex, frame } of vectors.toBridge)
    assert.equal(hexOf(frame["kind"] === "get" ? encodeGet(frame["id"]!, frame["ref"]!) : encodeAck(frame["id"]!)), hex);
  const all = bytesOf(vectors.toBridge.map((v) => v.hex).join(""));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 10 }), (cuts) => {
      const reader = new PluginFrames();
      assert.deepEqual(
        [...pieces(all, cuts)].flatMap((piece) => reader.push(piece)),
        vectors.toBridge.map((v) => v.frame),
      );
    }),
  );
});

test("what is no frame is refused by either end", () => {
  for (const { name, hex } of vectors.refusedByPlugin)
    assert.throws(() => new FrameReader().push(bytesOf(hex)), { code: "PROTOCOL" }, name);
  for (const { name, hex } of vectors.refusedByBridge)
    assert.throws(() => new PluginFrames().push(bytesOf(hex)), { code: "FRAME_MALFORMED" }, name);
});

test("any bytes are frames or a refusal, never another error", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), (chunks) => {
      for (const [reader, code] of [
        [new FrameReader(), "PROTOCOL"],
        [new PluginFrames(), "FRAME_MALFORMED"],
      ] as const) {
        try {
          for (const chunk of chunks) reader.push(Uint8Array.from(chunk));
        } catch (err) {
          assert.equal((err as { code?: string }).code, code);
        }
      }
    }),
  );
});
