import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { MooringError } from "#base/errors/index.ts";

/** No name, no time, unknown system: the same on every machine (RFC 1952 §2.3). */
const HEADER = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);

/** `bytes` as one gzip member with a constant header. Equal for equal input under one Node version and architecture. */
export function gzip(bytes: Uint8Array): Uint8Array {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length >>> 0, 4);
  return new Uint8Array(Buffer.concat([HEADER, deflateRawSync(bytes, { level: 9 }), trailer]));
}

/** The content of a gzip file with our header and one member. Throws BUNDLE_TOO_LARGE as soon as it gives more than `maxBytes`, and
 *  BUNDLE_MALFORMED when it is cut, followed by anything, or its check sum is wrong. */
export function gunzip(file: Uint8Array, maxBytes: number): Uint8Array {
  if (file.length < HEADER.length + 8 || !HEADER.every((byte, i) => byte === file[i]))
    throw malformed("it does not begin with the gzip header of a packed plugin");
  const body = file.subarray(HEADER.length);
  const { buffer, engine } = inflate(body, maxBytes);
  if (engine.bytesWritten + 8 !== body.length) throw malformed("it is cut or something follows its end");
  const trailer = new DataView(body.buffer, body.byteOffset + engine.bytesWritten, 8);
  if (trailer.getUint32(0, true) !== crc32(buffer) || trailer.getUint32(4, true) !== buffer.length)
    throw malformed("its check sum is wrong");
  return buffer;
}

function inflate(body: Uint8Array, maxBytes: number): { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } } {
  try {
    // The declared type of inflateRawSync does not know `info: true`.
    return inflateRawSync(body, { maxOutputLength: maxBytes, info: true }) as unknown as ReturnType<typeof inflate>;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
      throw new MooringError("BUNDLE_TOO_LARGE", "a plugin archive", { why: `it unpacks to more than ${maxBytes} bytes`, cause });
    throw malformed("its compressed data is damaged", cause);
  }
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("BUNDLE_MALFORMED", "a plugin archive", { why, cause });
}
