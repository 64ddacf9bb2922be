import { createHmac } from "node:crypto";

const VERSION = Buffer.from("HPKE-v1");
const NONE = Buffer.alloc(0);
const KEM = Buffer.concat([Buffer.from("KEM"), u16(0x0010)]); // DHKEM(P-256, HKDF-SHA256)

function u16(n: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(n);
  return out;
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** RFC 9180 §4, LabeledExtract. */
function extract(suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Buffer {
  return hmac(salt, VERSION, suite, Buffer.from(label), ikm);
}

/** RFC 9180 §4, LabeledExpand; one block is enough, since nothing of ours is longer than 32 bytes. */
function expand(suite: Uint8Array, prk: Uint8Array, label: string, info: readonly Uint8Array[], size: number): Buffer {
  const block = hmac(prk, u16(size), VERSION, suite, Buffer.from(label), ...info, Buffer.of(1));
  return block.subarray(0, size); // a view: V8 leaves stale copies of small buffers it makes itself, not of node:crypto's
}

/** The KEM's shared secret from the ECDH value `z` (RFC 9180 §4.1); the caller zeroes it. */
export function sharedSecret(z: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Buffer {
  const prk = extract(KEM, NONE, "eae_prk", z);
  const secret = expand(KEM, prk, "shared_secret", [enc, recipient], 32);
  prk.fill(0);
  return secret;
}

/** Key and nonce of the one message of a base-mode context (RFC 9180 §5.1); the caller zeroes the key. */
export function keySchedule(
  shared: Uint8Array,
  info: Uint8Array,
  aead: { readonly id: number; readonly keySize: number },
): { key: Buffer; nonce: Buffer } {
  const suite = Buffer.concat([Buffer.from("HPKE"), u16(0x0010), u16(0x0001), u16(aead.id)]);
  const context = [Buffer.of(0), extract(suite, NONE, "psk_id_hash", NONE), extract(suite, NONE, "info_hash", info)];
  const secret = extract(suite, shared, "secret", NONE);
  const key = expand(suite, secret, "key", context, aead.keySize);
  const nonce = expand(suite, secret, "base_nonce", context, 12);
  secret.fill(0);
  return { key, nonce };
}
