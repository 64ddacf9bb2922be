import { MooringError } from "#base/errors/index.ts";

/** Largest frame after its length field, type byte included. */
export const MAX_FRAME = 131_072;
/** Largest frame a plugin may send: a request id and the longest ref fit. */
const MAX_INCOMING = 1_024;

const HELLO = 0x01;
const GET = 0x02;
const VALUE = 0x03;
const ERROR = 0x04;
const ACK = 0x05;
const REVOKED = 0x06;

/** A frame from a plugin. `ref` is whatever the plugin wrote. */
export type FromPlugin =
  | { readonly kind: "get"; readonly id: number; readonly ref: string }
  | { readonly kind: "ack"; readonly id: number };

export function helloFrame(plugin: string, refs: readonly string[]): Uint8Array {
  return frame(HELLO, new Uint8Array(), utf8(JSON.stringify({ v: 1, plugin, refs })));
}

/** What stands before the secret's own bytes, so that those are written from where they lie. */
export function valueHead(id: number, size: number): Uint8Array {
  const head = new Uint8Array(9);
  const view = new DataView(head.buffer);
  view.setUint32(0, 5 + size);
  head[4] = VALUE;
  view.setUint32(5, id);
  return head;
}

export function errorFrame(id: number, error: { readonly code: string; readonly message: string; readonly retry: boolean }): Uint8Array {
  return frame(ERROR, u32(id), utf8(JSON.stringify({ code: error.code, message: error.message, retry: error.retry })));
}

export function revokedFrame(ref: string): Uint8Array {
  return frame(REVOKED, new Uint8Array(), utf8(ref));
}

/** Puts a plugin's frames together from what arrives. Holds at most one frame; throws FRAME_MALFORMED, after which the stream is lost. */
export class PluginFrames {
  #held: Uint8Array = new Uint8Array();

  push(chunk: Uint8Array): FromPlugin[] {
    const bytes = this.#held.length === 0 ? chunk : new Uint8Array(Buffer.concat([this.#held, chunk]));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frames: FromPlugin[] = [];
    let at = 0;
    while (at + 4 <= bytes.length) {
      const size = view.getUint32(at);
      if (size < 5 || size > MAX_INCOMING) throw malformed("a length no request has");
      if (at + 4 + size > bytes.length) break;
      frames.push(decode(bytes.subarray(at + 4, at + 4 + size)));
      at += 4 + size;
    }
    this.#held = bytes.slice(at);
    return frames;
  }
}

function decode(body: Uint8Array): FromPlugin {
  const id = new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(1);
  if (body[0] === GET) return { kind: "get", id, ref: text(body.subarray(5)) };
  if (body[0] === ACK && body.length === 5) return { kind: "ack", id };
  throw malformed("neither GET nor ACK");
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed("a ref that is not UTF-8", cause);
  }
}

function frame(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 1);
  return new Uint8Array(Buffer.concat([u32(size), Uint8Array.of(type), ...parts]));
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("FRAME_MALFORMED", "a plugin's frame on fd 3", { why, cause });
}
