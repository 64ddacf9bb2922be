import { canonBytes, fromBase64, readCanonical, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { framed } from "#base/frames/index.ts";
import { type Binding, type Bytes64, binding, type Envelope, SUITE, type VaultKey } from "#schemas/wire/index.ts";
import type { Cleartext, SecureMemory } from "#seal/cleartext/index.ts";
import { type Aead, CHACHA20_POLY1305, type Ecdh, openWith, sealTo } from "#seal/hpke/index.ts";
import { isSignedByVault, signerOf, type VaultSigner } from "./vault-key.ts";

const DOMAIN = new TextEncoder().encode("mooring/envelope/v1\n");
/** The `info` of every secret's envelope; a bundle pack has another, so neither opens as the other. */
export const ENVELOPE_INFO: Uint8Array = new TextEncoder().encode("mooring/envelope/v1");

/** `plaintext` sealed to the machine's kx `point` under `what`, signed by the vault. `plaintext` stays the caller's to zero. Throws POINT_INVALID. */
export function sealEnvelope(what: Binding, point: Uint8Array, plaintext: Uint8Array, signer: VaultSigner, aead?: Aead): Envelope {
  const aad = canonBytes(what);
  const { enc, ct } = sealTo(point, ENVELOPE_INFO, aad, plaintext, aead === undefined ? {} : { aead });
  return signEnvelope({ aad, enc, ct }, signer);
}

/** The envelope of parts that were sealed already. */
export function signEnvelope(
  parts: { readonly aad: Uint8Array; readonly enc: Uint8Array; readonly ct: Uint8Array },
  signer: VaultSigner,
): Envelope {
  const sig = signer.sign(signedBytes(parts.aad, parts.enc, parts.ct));
  return {
    v: 1,
    suite: SUITE,
    aad: base64(parts.aad),
    enc: base64(parts.enc),
    ct: base64(parts.ct),
    signer: signerOf(signer.key),
    sig: base64(sig),
  };
}

/** The binding of an envelope after its form and signature were checked: canonical additional data, a vault key of `keys` whose window holds
 *  `serial` (of the accepted release). It does not say whether the binding fits grant, machine or time: the caller compares. Throws
 *  ENVELOPE_REFUSED. */
export function verifyEnvelope(envelope: Envelope, keys: readonly VaultKey[], serial: number): Binding {
  const { aad, enc, ct, sig } = partsOf(envelope);
  if (!isSignedByVault(keys, serial, envelope.signer, signedBytes(aad, enc, ct), sig))
    throw refused("no vault key of this release signed it");
  const parsed = binding.safeParse(canonicalOf(aad));
  if (!parsed.success) throw refused("its additional data is no binding");
  return parsed.data;
}

/** The secret of an envelope that `verifyEnvelope` accepted, in locked memory. Throws SEAL_UNOPENED, POINT_INVALID and what the key throws. */
export async function openEnvelope(
  envelope: Envelope,
  ecdh: Ecdh,
  ownPoint: Uint8Array,
  memory: SecureMemory,
  aead: Aead = CHACHA20_POLY1305,
): Promise<Cleartext> {
  const { aad, enc, ct } = partsOf(envelope);
  return await openWith(ecdh, ownPoint, enc, ENVELOPE_INFO, aad, ct, memory, aead);
}

function partsOf(envelope: Envelope): { aad: Uint8Array; enc: Uint8Array; ct: Uint8Array; sig: Uint8Array } {
  if (envelope.v !== 1 || envelope.suite !== SUITE) throw refused("another version or suite");
  const bytes = (name: "aad" | "enc" | "ct" | "sig"): Uint8Array => fromBase64(envelope[name], `envelope.${name}`);
  return { aad: bytes("aad"), enc: bytes("enc"), ct: bytes("ct"), sig: bytes("sig") };
}

function signedBytes(aad: Uint8Array, enc: Uint8Array, ct: Uint8Array): Uint8Array {
  return Buffer.concat([DOMAIN, framed(aad, enc, ct)]);
}

function canonicalOf(aad: Uint8Array): unknown {
  try {
    return readCanonical(aad);
  } catch (cause) {
    throw refused("its additional data is not canonical", cause);
  }
}

function base64(bytes: Uint8Array): Bytes64 {
  return toBase64(bytes) as Bytes64;
}

function refused(why: string, cause?: unknown): MooringError {
  return new MooringError("ENVELOPE_REFUSED", "an envelope that the vault of this fleet did not make", { why, cause });
}
