import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { sha256 } from "#base/canonical/index.ts";

/** Checks notes of one name; what a reader of a log must know beforehand. `keyId` = the 4 bytes before the signature. */
export type LogKey = {
  readonly name: string;
  readonly keyId: Uint8Array;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
};

/** Signs notes under one name. `sign` gives the signature's own bytes as the type wants them (0x01: 64 bytes Ed25519; 0x02: ASN.1 DER ECDSA
 *  over SHA-256 of the text). */
export type NoteSigner = LogKey & { sign(text: Uint8Array): Promise<Uint8Array> };

/** Note type 0x02 for machines: `spki` = SPKI DER of the P-256 key; `signP256` gives r‖s (64 bytes) over SHA-256 of what it is given, as device
 *  keys do. */
export function ecdsaSigner(name: string, spki: Uint8Array, signP256: (message: Uint8Array) => Promise<Uint8Array>): NoteSigner {
  return { ...ecdsaKey(name, spki), sign: async (text) => derOf(await signP256(text)) };
}

/** The reader's side of `ecdsaSigner`. */
export function ecdsaKey(name: string, spki: Uint8Array): LogKey {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  return { name, keyId: ecdsaKeyId(spki), verify: (text, signature) => verify("sha256", text, key, signature) };
}

/** Note type 0x01, for the vault. */
export function ed25519Signer(name: string, privateKey: KeyObject): NoteSigner {
  return { ...ed25519Key(name, createPublicKey(privateKey)), sign: async (text) => new Uint8Array(sign(null, text, privateKey)) };
}

/** The reader's side of `ed25519Signer`. */
export function ed25519Key(name: string, publicKey: KeyObject): LogKey {
  return { name, keyId: ed25519KeyId(name, rawEd25519(publicKey)), verify: (text, signature) => verify(null, text, publicKey, signature) };
}

/** transparency-dev/formats note_verifier.go: SHA-256 of the SPKI alone, without name or type. */
function ecdsaKeyId(spki: Uint8Array): Uint8Array {
  return sha256(spki).subarray(0, 4);
}

/** C2SP signed-note: SHA-256(name ‖ LF ‖ 0x01 ‖ key), first four bytes. */
function ed25519KeyId(name: string, raw: Uint8Array): Uint8Array {
  return sha256(`${name}\n`, Uint8Array.of(0x01), raw).subarray(0, 4);
}

function rawEd25519(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" })).subarray(-32);
}

/** r‖s as the DER SEQUENCE of two INTEGERs. */
export function derOf(rs: Uint8Array): Uint8Array {
  const r = derInteger(rs.subarray(0, 32));
  const s = derInteger(rs.subarray(32, 64));
  return Uint8Array.of(0x30, r.length + s.length, ...r, ...s);
}

function derInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  const pad = (digits[0] ?? 0) >= 0x80 ? [0] : [];
  return Uint8Array.of(0x02, digits.length + pad.length, ...pad, ...digits);
}
