import { createHmac, timingSafeEqual } from "node:crypto";
import sodium from "sodium-native";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { LOCKED, SODIUM_CHACHA, withLocked } from "#bridge/memory.ts";
import { Cleartext } from "#seal/cleartext/index.ts";
import { type AgeFile, malformed, readAgeFile, type Stanza, unpadded } from "./age-header.ts";

const CHUNK = 64 * 1024;
const TAG = 16;
const NO_AAD = new Uint8Array(0);

/** The vault's X25519 key: `secret` in locked memory, `recipient` public. */
export type AgeIdentity = { readonly secret: Buffer; readonly recipient: Uint8Array };

/** The plaintext of an armored age file, straight in locked memory. Shared secret, file key and payload key live in locked memory or in
 *  buffers of node:crypto that are zeroed here; OpenSSL's HMAC keeps its key until its context is freed, and wipes it then. Throws AGE_MALFORMED,
 *  AGE_NOT_FOR_US (no stanza opens with this key), AGE_CORRUPT (header or content were changed). */
export async function openAge(armored: Uint8Array, identity: AgeIdentity): Promise<Cleartext> {
  const file = readAgeFile(armored);
  return await withLocked(16, (fileKey) => {
    if (!file.stanzas.some((stanza) => unwrap(stanza, identity, fileKey)))
      throw new MooringError("AGE_NOT_FOR_US", "a secret file that is not sealed to this vault");
    checkMac(file, fileKey);
    return readPayload(file.payload, fileKey);
  });
}

/** Whether the stanza is ours; then `fileKey` is filled. */
function unwrap(stanza: Stanza, { secret, recipient }: AgeIdentity, fileKey: Buffer): boolean {
  if (stanza.type !== "X25519") return false;
  const [share, ...rest] = stanza.args.map(unpadded);
  if (share === undefined || share.length !== 32 || rest.length > 0 || stanza.body.length !== 32)
    throw malformed("an X25519 recipient of another form");
  const shared = LOCKED.alloc(32);
  try {
    if (!multiply(shared, secret, share)) return false;
    const key = hkdf(shared, Buffer.concat([share, recipient]), "age-encryption.org/v1/X25519");
    const isOurs = opens(fileKey, key, new Uint8Array(12), stanza.body);
    key.fill(0);
    return isOurs;
  } finally {
    LOCKED.free(shared);
  }
}

/** False for a point of low order, whose product is zero. */
function multiply(out: Buffer, secret: Buffer, point: Uint8Array): boolean {
  try {
    sodium.crypto_scalarmult(out, secret, Buffer.from(point));
  } catch {
    return false;
  }
  return out.some((byte) => byte !== 0);
}

/** Whether `body` opens under `key`, into `out`. */
function opens(out: Buffer, key: Buffer, nonce: Uint8Array, body: Uint8Array): boolean {
  try {
    SODIUM_CHACHA.open(out, key, nonce, NO_AAD, body);
    return true;
  } catch (err) {
    if (hasCode(err, "SEAL_UNOPENED")) return false;
    throw err;
  }
}

function checkMac({ covered, mac }: AgeFile, fileKey: Buffer): void {
  const key = hkdf(fileKey, NO_AAD, "header");
  const want = createHmac("sha256", key).update(covered).digest();
  key.fill(0);
  if (!timingSafeEqual(want, mac)) throw corrupt("its header was changed");
}

/** STREAM (C2SP age): 64 KiB chunks, nonce = 11-byte counter and a last-chunk flag; only the whole payload may be empty. */
function readPayload(payload: Uint8Array, fileKey: Buffer): Cleartext {
  const body = payload.subarray(16);
  if (body.length < TAG) throw corrupt("its content ends early");
  const chunks = Math.ceil(body.length / (CHUNK + TAG));
  const key = hkdf(fileKey, payload.subarray(0, 16), "payload");
  const out = LOCKED.alloc(body.length - chunks * TAG);
  try {
    for (let n = 0; n < chunks; n++) readChunk(body, n, chunks, key, out);
    return new Cleartext(out, LOCKED);
  } catch (err) {
    LOCKED.free(out);
    throw err;
  } finally {
    key.fill(0);
  }
}

function readChunk(body: Uint8Array, n: number, chunks: number, key: Buffer, out: Buffer): void {
  const chunk = body.subarray(n * (CHUNK + TAG), (n + 1) * (CHUNK + TAG));
  const isLast = n === chunks - 1;
  if (chunk.length < TAG || (chunk.length === TAG && n > 0)) throw corrupt("its last chunk is empty");
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(n, 7);
  nonce[11] = isLast ? 1 : 0;
  if (!opens(out.subarray(n * CHUNK, n * CHUNK + chunk.length - TAG), key, nonce, chunk)) throw corrupt("its content was changed or cut");
}

/** RFC 5869 with SHA-256, 32 bytes; the caller zeroes it. */
function hkdf(ikm: Uint8Array, salt: Uint8Array, info: string): Buffer {
  const prk = createHmac("sha256", salt).update(ikm).digest();
  const out = createHmac("sha256", prk).update(info).update(Buffer.of(1)).digest();
  prk.fill(0);
  return out;
}

function corrupt(why: string): MooringError {
  return new MooringError("AGE_CORRUPT", "a secret file that was changed after it was sealed", { why });
}
