import { createPublicKey, type KeyObject } from "node:crypto";
import { fromBase64, isJsonObject, type Json, sha256, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** The one key a bundle may be signed with. `hint` is how a bundle names it. */
export type SignerKey = { readonly key: KeyObject; readonly hint: string };

const CURVES = new Set(["prime256v1", "secp384r1"]);

/** The key of a plugin section's `signer`, `{key: base64 of the SPKI DER}`. Throws SIGNER_INVALID for any other form or curve, NOT_YET for
 *  a keyless signer. Pure. */
export function signerKeyOf(signer: Json): SignerKey {
  if (!isJsonObject(signer)) throw invalid("it is not an object");
  if ("keyless" in signer)
    throw new MooringError("NOT_YET", "a keyless signer", { why: "certificates of Fulcio are not verified yet; sign with a key" });
  const { key, ...rest } = signer;
  if (typeof key !== "string" || Object.keys(rest).length > 0) throw invalid("it is not {key}");
  return keyOf(key);
}

/** A key of base64 SPKI DER; the DER MUST be the only spelling of that key. Throws SIGNER_INVALID. */
export function keyOf(spki: string): SignerKey {
  const der = decode(spki);
  const key = parse(der);
  if (key.asymmetricKeyType !== "ec" || !CURVES.has(key.asymmetricKeyDetails?.namedCurve ?? ""))
    throw invalid("its curve is neither P-256 nor P-384");
  if (!key.export({ format: "der", type: "spki" }).equals(der)) throw invalid("its DER is not canonical");
  return { key, hint: hintOf(der) };
}

/** How a bundle names a key: base64 of the SHA-256 of its SPKI DER, as cosign does. */
export function hintOf(spkiDer: Uint8Array): string {
  return toBase64(sha256(spkiDer));
}

function decode(text: string): Uint8Array {
  try {
    return fromBase64(text, "signer.key");
  } catch (cause) {
    throw invalid("its key is not strict base64", cause);
  }
}

function parse(der: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch (cause) {
    throw invalid("its key is not the SPKI DER of a public key", cause);
  }
}

function invalid(why: string, cause?: unknown): MooringError {
  return new MooringError("SIGNER_INVALID", "the expected signer of a plugin", { why, cause });
}
