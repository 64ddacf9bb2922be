import { createECDH } from "node:crypto";
import { Cleartext, type SecureMemory } from "#seal/cleartext/index.ts";
import { type Aead, CHACHA20_POLY1305, unopened } from "./aead.ts";
import { checkPoint, POINT_SIZE } from "./point.ts";
import { keySchedule, sharedSecret } from "./schedule.ts";

const TAG_SIZE = 16;

/** What travels: `enc` is the ephemeral point (65 bytes), `ct` the ciphertext with its tag. */
export type Sealed = { readonly enc: Uint8Array; readonly ct: Uint8Array };

/** The ECDH value (32 bytes, big-endian x) of the recipient's key with a point that was checked. The key may live in hardware. The caller of
 *  this function zeroes what it gives. */
export type Ecdh = (peerPoint: Uint8Array) => Promise<Uint8Array>;

export type SealOptions = {
  readonly aead?: Aead;
  /** Bytes of the ephemeral private key; node:crypto's own generator when left out. Tests repeat the RFC's with it. */
  readonly rng?: (size: number) => Uint8Array;
};

/** `plaintext` sealed to the P-256 key `point` (65 bytes): RFC 9180 base mode, one message. Base mode does not say who sealed: whoever needs
 *  that signs the result. Throws POINT_INVALID. */
export function sealTo(point: Uint8Array, info: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, options: SealOptions = {}): Sealed {
  checkPoint(point);
  const aead = options.aead ?? CHACHA20_POLY1305;
  const ephemeral = createECDH("prime256v1");
  if (options.rng === undefined) ephemeral.generateKeys();
  else ephemeral.setPrivateKey(options.rng(32));
  const enc = new Uint8Array(ephemeral.getPublicKey());
  const { key, nonce } = keysOf(ephemeral.computeSecret(point), enc, point, info, aead);
  try {
    return { enc, ct: aead.seal(key, nonce, aad, plaintext) };
  } finally {
    key.fill(0);
  }
}

/** The inverse of `sealTo` for the holder of `ownPoint`. With a memory the cleartext is written there and comes as a Cleartext that has
 *  to be revealed or dropped; without one it comes as plain bytes. Throws POINT_INVALID before any ECDH, SEAL_UNOPENED when key, `info`,
 *  `aad` or bytes are not those that were sealed; what `ecdh` throws passes through. */
export function openWith(
  ecdh: Ecdh,
  ownPoint: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  ct: Uint8Array,
  memory?: undefined,
  aead?: Aead,
): Promise<Uint8Array>;
export function openWith(
  ecdh: Ecdh,
  ownPoint: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  ct: Uint8Array,
  memory: SecureMemory,
  aead?: Aead,
): Promise<Cleartext>;
export async function openWith(
  ecdh: Ecdh,
  ownPoint: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  ct: Uint8Array,
  memory?: SecureMemory,
  aead: Aead = CHACHA20_POLY1305,
): Promise<Uint8Array | Cleartext> {
  if (ownPoint.length !== POINT_SIZE) throw new Error("the own point is 65 bytes");
  checkPoint(enc);
  if (ct.length < TAG_SIZE) throw unopened("shorter than a tag");
  const { key, nonce } = keysOf(await ecdh(enc), enc, ownPoint, info, aead);
  try {
    return openInto(aead, key, nonce, aad, ct, memory);
  } finally {
    key.fill(0);
  }
}

function openInto(
  aead: Aead,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  ct: Uint8Array,
  memory: SecureMemory | undefined,
): Uint8Array | Cleartext {
  const size = ct.length - TAG_SIZE;
  const out = memory === undefined ? new Uint8Array(size) : memory.alloc(size);
  try {
    aead.open(out, key, nonce, aad, ct);
  } catch (err) {
    memory?.free(out as Buffer);
    throw err;
  }
  return memory === undefined ? out : new Cleartext(out, memory);
}

/** Key and nonce; zeroes `z`. */
function keysOf(z: Uint8Array, enc: Uint8Array, recipient: Uint8Array, info: Uint8Array, aead: Aead): { key: Buffer; nonce: Buffer } {
  const shared = sharedSecret(z, enc, recipient);
  z.fill(0);
  try {
    return keySchedule(shared, info, aead);
  } finally {
    shared.fill(0);
  }
}
