import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { type Digest, digestOf } from "#base/canonical/index.ts";
import type { VaultKey } from "#schemas/wire/index.ts";

const TYPE = "ssh-ed25519";
/** RFC 8410: SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes. */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** What signs as the vault: `key` is its public key's text as in trust.vaultKeys. */
export type VaultSigner = { readonly key: string; sign(message: Uint8Array): Uint8Array };

/** `ssh-ed25519 AAAA…` of an Ed25519 key, without a comment: how trust.vaultKeys names it. */
export function vaultKeyText(key: KeyObject): string {
  const raw = Buffer.from(key.export({ format: "der", type: "spki" })).subarray(-32);
  return `${TYPE} ${Buffer.concat([sized(Buffer.from(TYPE)), sized(raw)]).toString("base64")}`;
}

/** Digest of a vault key's text: how envelopes and leases name their signer. */
export function signerOf(key: string): Digest {
  return digestOf(key);
}

/** Whether `sig` over `message` is by the vault key named `signer`, that key is in the set, and `serial` (of the accepted release) lies in
 *  its window. Never throws: a key text that is not `ssh-ed25519 AAAA…` has signed nothing. */
export function isSignedByVault(keys: readonly VaultKey[], serial: number, signer: Digest, message: Uint8Array, sig: Uint8Array): boolean {
  return keys.some(({ key, from, until }) => {
    if (signerOf(key) !== signer || serial < from || (until !== null && serial > until)) return false;
    const publicKey = publicKeyOf(key);
    return publicKey !== null && sig.length === 64 && verify(null, message, publicKey, sig);
  });
}

function publicKeyOf(text: string): KeyObject | null {
  const [type, base64, ...rest] = text.split(" ");
  const blob = Buffer.from(base64 ?? "", "base64");
  const head = Buffer.concat([sized(Buffer.from(TYPE)), Buffer.of(0, 0, 0, 32)]);
  const isRight = type === TYPE && rest.length === 0 && blob.toString("base64") === base64 && blob.length === head.length + 32;
  if (!isRight || !blob.subarray(0, head.length).equals(head)) return null;
  return createPublicKey({ key: Buffer.concat([SPKI, blob.subarray(head.length)]), format: "der", type: "spki" });
}

function sized(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
