import * as z from "zod/mini";
import { bytes64, counter, digest, fleetId, machineId, revision } from "./names.ts";

/** POST /v1/attest: 32 random bytes of whoever asks, so that no answer is an old one. */
export const attestRequest = z.strictObject({ nonce: bytes64.check(z.refine((value) => value.length === 44)) });

/** What a machine stands on, as it signs it. `release` = the one it accepted last, null before first contact; `treeSize` = entries its audit log has
 *  published. */
export const attestation = z.strictObject({
  t: z.literal("mooring/attest/v1"),
  fleet: fleetId,
  machine: machineId,
  nonce: bytes64,
  incarnation: counter,
  generation: counter,
  revision: z.nullable(revision),
  epoch: counter,
  release: z.nullable(z.strictObject({ serial: counter, digest, secretsSerial: z.nullable(counter) })),
  treeSize: counter,
});
export type Attestation = z.infer<typeof attestation>;

/** Canonical bytes of an attestation, and the machine's ECDSA P-256 signature (r‖s) over "mooring/attest/v1\n" ‖ bytes. */
export const signedAttestation = z.object({ bytes: bytes64, sig: bytes64 });
export type SignedAttestation = z.infer<typeof signedAttestation>;
