import { createCipheriv, createDecipheriv } from "node:crypto";
import { MooringError } from "#base/errors/index.ts";

/** Cleartext bytes in one chunk: age's number, small enough that a cut is seen soon. */
export const CHUNK_SIZE = 64 * 1024;
const TAG_SIZE = 16;
const SEALED_CHUNK = CHUNK_SIZE + TAG_SIZE;

/** `plaintext` as a STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015; the form of age's payload): ChaCha20-Poly1305 over 64 KiB chunks, nonce =
 *  11-byte big-endian counter ‖ last flag. `key` (32 bytes) MUST be used for this one stream only, since nonces start at zero. Pure. */
export function sealStream(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  checkKey(key);
  const count = Math.max(1, Math.ceil(plaintext.length / CHUNK_SIZE));
  const out = new Uint8Array(plaintext.length + count * TAG_SIZE);
  for (let i = 0; i < count; i++) {
    const chunk = plaintext.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE);
    const cipher = createCipheriv("chacha20-poly1305", key, nonceOf(i, i === count - 1), { authTagLength: TAG_SIZE });
    const at = i * SEALED_CHUNK;
    out.set(cipher.update(chunk), at);
    cipher.final();
    out.set(cipher.getAuthTag(), at + chunk.length);
  }
  return out;
}

/** The inverse of `sealStream`. Throws STREAM_CORRUPT for another key and for bytes that were altered, cut, extended or reordered; nothing
 *  of a stream is given out before its last chunk is checked. */
export function openStream(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  checkKey(key);
  const count = Math.ceil(sealed.length / SEALED_CHUNK);
  const lastSize = sealed.length - (count - 1) * SEALED_CHUNK - TAG_SIZE;
  if (count === 0 || lastSize < 0) throw corrupt("it ends inside a tag");
  if (lastSize === 0 && count > 1) throw corrupt("its last chunk is empty");
  const out = new Uint8Array(sealed.length - count * TAG_SIZE);
  for (let i = 0; i < count; i++) {
    const chunk = sealed.subarray(i * SEALED_CHUNK, (i + 1) * SEALED_CHUNK);
    out.set(openChunk(key, i, i === count - 1, chunk), i * CHUNK_SIZE);
  }
  return out;
}

function openChunk(key: Uint8Array, index: number, last: boolean, chunk: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("chacha20-poly1305", key, nonceOf(index, last), { authTagLength: TAG_SIZE });
  decipher.setAuthTag(chunk.subarray(chunk.length - TAG_SIZE));
  const plain = decipher.update(chunk.subarray(0, chunk.length - TAG_SIZE));
  try {
    decipher.final();
  } catch (cause) {
    throw corrupt(`chunk ${index} does not open`, cause);
  }
  return plain;
}

/** A counter of 11 bytes never runs out; an index is a safe integer, so its upper bytes stay zero. */
function nonceOf(index: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index));
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function checkKey(key: Uint8Array): void {
  if (key.length !== 32) throw new Error("a stream key is 32 bytes");
}

function corrupt(why: string, cause?: unknown): MooringError {
  return new MooringError("STREAM_CORRUPT", "a sealed stream", { why, cause });
}
