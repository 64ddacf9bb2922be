import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { sha256 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { malformed, type Note, parseNote } from "./note.ts";

/** Signature types of C2SP signed-note that we speak. */
export const NOTE_ED25519 = 0x01;
export const NOTE_ECDSA = 0x02;
export const NOTE_COSIGNATURE = 0x04;

/** One key that may sign a note. `check` gives null when `sig` is not its signature over `text`, else the time a cosignature carries. */
export type NoteKey = {
  readonly name: string;
  readonly keyId: Uint8Array;
  check(text: string, sig: Uint8Array): { readonly time: number | null } | null;
};

/** A note whose signatures by known keys are all good; at least one is there. `time` in seconds since 1970, cosignatures only. */
export type VerifiedNote = { readonly text: string; readonly by: readonly { readonly name: string; readonly time: number | null }[] };

/** Reads a note and checks every signature of a known key. Lines of unknown keys are ignored, as C2SP wants; a wrong signature of a known key,
 *  or none of them at all, throws NOTE_UNVERIFIED; bytes that are no note NOTE_MALFORMED. */
export function verifyNote(bytes: Uint8Array, known: readonly NoteKey[]): VerifiedNote {
  const note = parseNote(bytes);
  const by: { name: string; time: number | null }[] = [];
  for (const key of known) {
    const found = timesSigned(note, key);
    if (found !== null) by.push({ name: key.name, time: found.time });
  }
  if (by.length === 0) throw new MooringError("NOTE_UNVERIFIED", "a signed note: no signature by a known key");
  return { text: note.text, by };
}

function timesSigned(note: Note, key: NoteKey): { readonly time: number | null } | null {
  let result: { readonly time: number | null } | null = null;
  for (const line of note.sigs) {
    if (line.name !== key.name || !Buffer.from(line.keyId).equals(key.keyId)) continue;
    const good = key.check(note.text, line.sig);
    if (good === null) throw new MooringError("NOTE_UNVERIFIED", `a signed note: the signature of ${key.name} is wrong`);
    result ??= good;
  }
  return result;
}

/** An Ed25519 log key (type 0x01) from its 32 raw bytes. */
export function ed25519NoteKey(name: string, raw: Uint8Array): NoteKey {
  const key = ed25519Object(raw);
  return {
    name,
    keyId: namedKeyId(name, NOTE_ED25519, raw),
    check: (text, sig) => (sig.length === 64 && verify(null, Buffer.from(text), key, sig) ? { time: null } : null),
  };
}

/** A P-256 log key (type 0x02) from its SPKI DER: key id = SHA-256(SPKI)[:4], signatures are ASN.1 DER over SHA-256 (transparency-dev/formats). */
export function ecdsaNoteKey(name: string, spki: Uint8Array): NoteKey {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw malformed("a log key that is not P-256");
  return {
    name,
    keyId: ecdsaKeyId(spki),
    check: (text, sig) => (verify("sha256", Buffer.from(text), { key, dsaEncoding: "der" }, sig) ? { time: null } : null),
  };
}

/** A witness key (type 0x04, cosignature/v1) from its 32 raw bytes. */
export function cosignatureNoteKey(name: string, raw: Uint8Array): NoteKey {
  const key = ed25519Object(raw);
  const check = (text: string, sig: Uint8Array): { time: number } | null => {
    if (sig.length !== 72) return null;
    const time = Buffer.from(sig.subarray(0, 8)).readBigUInt64BE();
    if (time > BigInt(Number.MAX_SAFE_INTEGER)) return null;
    return verify(null, cosignedBytes(Number(time), text), key, sig.subarray(8)) ? { time: Number(time) } : null;
  };
  return { name, keyId: namedKeyId(name, NOTE_COSIGNATURE, raw), check };
}

/** What a cosignature/v1 signs: the time in seconds since 1970 and the note's text. */
export function cosignedBytes(time: number, text: string): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${time}\n${text}`);
}

/** The body of a 0x04 line after the key id: u64 time, then the Ed25519 signature over `cosignedBytes`. */
export function cosignatureBody(time: number, sig: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(BigInt(time));
  return new Uint8Array(Buffer.concat([head, sig]));
}

/** Key id of types 0x01 and 0x04: SHA-256(name ‖ LF ‖ type ‖ key)[:4]. */
export function namedKeyId(name: string, type: number, raw: Uint8Array): Uint8Array {
  return sha256(`${name}\n`, new Uint8Array([type]), raw).subarray(0, 4);
}

/** Key id of type 0x02: SHA-256(SPKI DER)[:4]. */
export function ecdsaKeyId(spki: Uint8Array): Uint8Array {
  return sha256(spki).subarray(0, 4);
}

function ed25519Object(raw: Uint8Array): KeyObject {
  if (raw.length !== 32) throw malformed("an Ed25519 key that is not 32 bytes");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(raw).toString("base64url") }, format: "jwk" });
}
