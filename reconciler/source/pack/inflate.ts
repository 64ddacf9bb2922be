import { inflateSync } from "node:zlib";

export type Inflated =
  | { readonly at: "done"; readonly content: Buffer; readonly used: number }
  /** `bytes` end before the stream does. */
  | { readonly at: "short" }
  /** Not a zlib stream, or one that holds more or less than `size`. */
  | { readonly at: "broken"; readonly cause?: unknown };

const CHUNK = 256 << 10;

/** Unpacks the zlib stream at the start of `bytes`, which must hold exactly `size` bytes; never allocates more than that for a stream that holds more. */
export function inflate(bytes: Uint8Array, size: number): Inflated {
  try {
    const options = { info: true, maxOutputLength: Math.max(1, size), chunkSize: Math.min(CHUNK, size + 64) } as const;
    const { buffer, engine } = inflateSync(bytes, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return buffer.length === size ? { at: "done", content: buffer, used: engine.bytesWritten } : { at: "broken" };
  } catch (cause) {
    return isShort(cause) ? { at: "short" } : { at: "broken", cause };
  }
}

function isShort(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR";
}
