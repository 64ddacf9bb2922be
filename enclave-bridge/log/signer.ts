import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { ecdsaNoteKey, ed25519NoteKey, type NoteKey } from "#proof/tlog/index.ts";

/** Signs notes under one name. `sign` gives the signature's own bytes as the type wants them (0x01: 64 bytes Ed25519; 0x02: ASN.1 DER ECDSA
 *  over SHA-256 of the text). */
export type NoteSigner = NoteKey & { sign(text: Uint8Array): Promise<Uint8Array> };

/** Note type 0x02 for machines: `spki` = SPKI DER of the P-256 key; `signP256` gives r‖s (64 bytes) over SHA-256 of what it is given, as device
 *  keys do. Its reader's side is `ecdsaNoteKey` of proof/tlog. */
export function ecdsaSigner(name: string, spki: Uint8Array, signP256: (message: Uint8Array) => Promise<Uint8Array>): NoteSigner {
  return { ...ecdsaNoteKey(name, spki), sign: async (text) => derOf(await signP256(text)) };
}

/** Note type 0x01, for the vault. Its reader's side is `ed25519NoteKey` of proof/tlog over the 32 raw bytes. */
export function ed25519Signer(name: string, privateKey: KeyObject): NoteSigner {
  return {
    ...ed25519NoteKey(name, rawEd25519(createPublicKey(privateKey))),
    sign: async (text) => new Uint8Array(sign(null, text, privateKey)),
  };
}

/** The 32 bytes of an Ed25519 public key. */
export function rawEd25519(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" })).subarray(-32);
}

/** r‖s as the DER SEQUENCE of two INTEGERs. */
function derOf(rs: Uint8Array): Uint8Array {
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
