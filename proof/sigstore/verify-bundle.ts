import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, Verifier } from "@sigstore/verify";
import type { Json } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { msOf, type Time } from "#base/time/index.ts";
import { shapeOf } from "./shape.ts";
import { type SignerKey, signerKeyOf } from "./signer.ts";
import { quote } from "./statement.ts";

/** When a signer's key counts: a keyed bundle carries no trusted time, so the window is held against `now`. */
export type KeyWindow = { readonly from: Time | null; readonly until: Time | null; readonly now: Time };
export type Verified = { readonly payload: Uint8Array; readonly hint: string };

/** The payload of a keyed DSSE bundle, signed by the one key of `signer`. Offline, synchronous, pure. Who calls it still has to say what the
 *  payload is about: see `verifyPlugin`. Throws what `shapeOf` and `signerKeyOf` throw, SIGSTORE_SIGNER_MISMATCH, SIGSTORE_KEY_EXPIRED
 *  and SIGSTORE_SIGNATURE_INVALID. */
export function verifyBundle(bundleJson: Uint8Array, signer: Json, window?: KeyWindow): Verified {
  const expected = signerKeyOf(signer);
  const bundle = shapeOf(bundleJson);
  if (bundle.hint !== expected.hint)
    throw new MooringError("SIGSTORE_SIGNER_MISMATCH", "a sigstore bundle", {
      why: `expected the key with SHA-256 ${expected.hint}, found ${quote(bundle.hint)}`,
    });
  if (window !== undefined) checkWindow(window);
  checkSignature(bundle.json, expected);
  return { payload: bundle.payload, hint: bundle.hint };
}

function checkWindow({ from, until, now }: KeyWindow): void {
  if ((from !== null && msOf(now) < msOf(from)) || (until !== null && msOf(now) > msOf(until)))
    throw new MooringError("SIGSTORE_KEY_EXPIRED", "the key of a sigstore bundle", {
      why: `expected a time in ${from ?? "…"} to ${until ?? "…"}, found ${now}`,
    });
}

/** sigstore-js does the cryptography. All thresholds are 0 on purpose: the policy "one reviewed key, no log" has neither log nor
 *  timestamps, and `shapeOf` refused bundles that carry any. Everything it throws is one code of ours. */
function checkSignature(json: Json, expected: SignerKey): void {
  try {
    const finder = (hint: string): { publicKey: SignerKey["key"]; validFor: () => boolean } => {
      if (hint !== expected.hint) throw new Error("another hint");
      return { publicKey: expected.key, validFor: () => true };
    };
    const trust = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], publicKey: finder };
    new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundleFromJSON(json)));
  } catch (cause) {
    throw new MooringError("SIGSTORE_SIGNATURE_INVALID", "a sigstore bundle", {
      why: "its signature is not one of the expected key over this payload",
      cause,
    });
  }
}
