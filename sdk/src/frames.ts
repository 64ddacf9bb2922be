import { SecretError } from "./error.ts";

/** Largest frame after its length field: type and payload. */
export const MAX_FRAME: number = 131_072;

/** A frame from the bridge. `bytes` of a value are a view into the reader's memory: copy nothing, zero it after use. */
export type Incoming =
  | { readonly kind: "hello"; readonly plugin: string; readonly refs: readonly string[] }
  | { readonly kind: "value"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "error"; readonly id: number; readonly code: string; readonly message: string; readonly retry: boolean }
  | { readonly kind: "revoked"; readonly ref: string };

const HELLO = 0x01;
const GET = 0x02;
const VALUE = 0x03;
const ERROR = 0x04;
const ACK = 0x05;
const REVOKED = 0x06;

/** GET: u32 length ‖ 0x02 ‖ u32 id ‖ ref in UTF-8. */
export function encodeGet(id: number, ref: string): Uint8Array {
  return frame(GET, id, new TextEncoder().encode(ref));
}

/** ACK: u32 length ‖ 0x05 ‖ u32 id. */
export function encodeAck(id: number): Uint8Array {
  return frame(ACK, id, new Uint8Array());
}

function frame(type: number, id: number, rest: Uint8Array): Uint8Array {
  const out = new Uint8Array(9 + rest.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, 5 + rest.length);
  out[4] = type;
  view.setUint32(5, id);
  out.set(rest, 9);
  return out;
}

/** Puts the stream's pieces together. Each frame gets memory of its own (more than 64 bytes, so that V8 never moves and thereby copies it), and
 *  the pieces are zeroed once taken over. */
export class FrameReader {
  readonly #head: Uint8Array = new Uint8Array(4);
  #body: Uint8Array | null = null;
  #have: number = 0;

  /** Frames that `chunk` completes. Zeroes `chunk`. Throws SecretError PROTOCOL. */
  push(chunk: Uint8Array): Incoming[] {
    const frames: Incoming[] = [];
    let at = 0;
    while (at < chunk.length) {
      const target = this.#body ?? this.#head;
      const take = Math.min(target.length - this.#have, chunk.length - at);
      target.set(chunk.subarray(at, at + take), this.#have);
      this.#have += take;
      at += take;
      if (this.#have < target.length) break;
      this.#have = 0;
      if (this.#body === null) this.#body = bodyFor(this.#head);
      else {
        const body = this.#body;
        this.#body = null;
        frames.push(decode(body));
      }
    }
    chunk.fill(0);
    return frames;
  }
}

function bodyFor(head: Uint8Array): Uint8Array {
  const size = new DataView(head.buffer, head.byteOffset, 4).getUint32(0);
  if (size < 1 || size > MAX_FRAME) throw broken("a frame of impossible length");
  return new Uint8Array(new ArrayBuffer(Math.max(size, 128)), 0, size);
}

/** A frame from its type and payload; throws SecretError PROTOCOL. */
export function decode(body: Uint8Array): Incoming {
  const rest = body.subarray(1);
  switch (body[0] ?? 0) {
    case HELLO: {
      const { v, plugin, refs } = objectOf(rest);
      if (v !== 1 || typeof plugin !== "string" || !isTextList(refs)) throw broken("a HELLO of another form");
      return { kind: "hello", plugin, refs };
    }
    case VALUE:
      return { kind: "value", id: idOf(rest), bytes: rest.subarray(4) };
    case ERROR: {
      const { code, message, retry } = objectOf(rest.subarray(4));
      if (typeof code !== "string" || typeof message !== "string" || typeof retry !== "boolean") throw broken("an ERROR of another form");
      return { kind: "error", id: idOf(rest), code, message, retry };
    }
    case REVOKED:
      return { kind: "revoked", ref: textOf(rest) };
    default:
      throw broken("a frame of unknown type");
  }
}

function idOf(rest: Uint8Array): number {
  if (rest.length < 4) throw broken("a frame without request id");
  return new DataView(rest.buffer, rest.byteOffset, 4).getUint32(0);
}

function objectOf(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(textOf(bytes));
  } catch {
    throw broken("a frame that is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw broken("a frame that is no object");
  return value as Record<string, unknown>;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw broken("a frame that is not UTF-8");
  }
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function broken(what: string): SecretError {
  return new SecretError("PROTOCOL", `the bridge sent ${what}`);
}
