import { canonBytes, fromBase64, readCanonical, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Bytes64, type Lease, lease, type SignedLease, type VaultKey } from "#schemas/wire/index.ts";
import { isSignedByVault, signerOf, type VaultSigner } from "./vault-key.ts";

const DOMAIN = new TextEncoder().encode("mooring/lease/v1\n");

export function signLease(what: Lease, signer: VaultSigner): SignedLease {
  const bytes = canonBytes(what);
  return { bytes: toBase64(bytes) as Bytes64, signer: signerOf(signer.key), sig: toBase64(signer.sign(signedBytes(bytes))) as Bytes64 };
}

/** The lease after form and signature were checked (as `verifyEnvelope` does). Whether it is this machine's, this key's and still running is
 *  for the caller to compare. Throws LEASE_REFUSED. */
export function verifyLease(signed: SignedLease, keys: readonly VaultKey[], serial: number): Lease {
  const bytes = fromBase64(signed.bytes, "lease.bytes");
  if (!isSignedByVault(keys, serial, signed.signer, signedBytes(bytes), fromBase64(signed.sig, "lease.sig")))
    throw refused("no vault key of this release signed it");
  const parsed = lease.safeParse(canonicalOf(bytes));
  if (!parsed.success) throw refused("it is no lease");
  return parsed.data;
}

function signedBytes(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([DOMAIN, bytes]);
}

function canonicalOf(bytes: Uint8Array): unknown {
  try {
    return readCanonical(bytes);
  } catch (cause) {
    throw refused("it is not canonical", cause);
  }
}

function refused(why: string, cause?: unknown): MooringError {
  return new MooringError("LEASE_REFUSED", "a lease that the vault of this fleet did not give", { why, cause });
}
