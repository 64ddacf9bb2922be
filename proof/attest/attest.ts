import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { canonBytes, fromBase64, readCanonical } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Attestation, attestation, type SignedAttestation } from "#schemas/wire/index.ts";

const DOMAIN = "mooring/attest/v1\n";

/** The bytes a machine signs (WIRE §2): canonical, so the same facts are the same bytes. */
export function composeAttestation(facts: Omit<Attestation, "t">): Uint8Array {
  return canonBytes({ t: "mooring/attest/v1", ...facts });
}

/** What `machine` of `fleet` attests now: signed by `key` (base64 of its SPKI DER, as its identity section says) over this nonce. Throws
 *  ATTEST_UNPROVEN. */
export function verifyAttestation(
  signed: SignedAttestation,
  wanted: { readonly fleet: string; readonly machine: string; readonly nonce: string; readonly key: string },
): Attestation {
  const unproven = (why: string, cause?: unknown): MooringError =>
    new MooringError("ATTEST_UNPROVEN", `machine ${wanted.machine}`, { why, cause });
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(signed.bytes, "attestation");
    const key = p256(wanted.key);
    const message = Buffer.concat([Buffer.from(DOMAIN), bytes]);
    if (key === null || !verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, fromBase64(signed.sig, "signature")))
      throw unproven("its signature is not by the key that the released identity names");
  } catch (err) {
    if (err instanceof MooringError && err.code === "ATTEST_UNPROVEN") throw err;
    throw unproven("it is not signed bytes", err);
  }
  const facts = read(bytes, unproven);
  if (facts.fleet !== wanted.fleet || facts.machine !== wanted.machine) throw unproven(`it speaks for ${facts.machine} of ${facts.fleet}`);
  if (facts.nonce !== wanted.nonce) throw unproven("it answers another question");
  return facts;
}

function read(bytes: Uint8Array, unproven: (why: string, cause?: unknown) => MooringError): Attestation {
  try {
    const parsed = attestation.safeParse(readCanonical(bytes));
    if (parsed.success) return parsed.data;
    throw unproven("its form is another", parsed.error);
  } catch (err) {
    if (err instanceof MooringError && err.code === "ATTEST_UNPROVEN") throw err;
    throw unproven("it is not canonical JSON", err);
  }
}

function p256(spki: string): KeyObject | null {
  const key = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
  return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : null;
}
