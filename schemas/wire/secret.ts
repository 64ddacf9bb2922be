import * as z from "zod/mini";
import { bytes64, counter, digest, fleetId, machineId, time } from "./names.ts";
import { releaseProof, signedItem } from "./apply.ts";

export const SUITE = "DHKEM-P256+HKDF-SHA256+CHACHA20POLY1305";

const deliverySchema = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("fd") }),
  z.strictObject({ mode: z.literal("resolve") }),
  z.strictObject({ mode: z.literal("egress"), hosts: z.readonly(z.array(z.string())), header: z.string() }),
]);
export const grantSchema = z.strictObject({ subject: z.string(), ref: z.string(), delivery: deliverySchema, expires: z.nullable(time) });

/** What an envelope is good for; its canonical bytes are the additional data (WIRE §4). Composed by vault and bridge from proven sections,
 *  in no root. `key` = digest of the machine's kx text; `bundle` = digest of the granted plugin's bundle, null for the gateway;
 *  `grantDigest` = leaf of the grant section. */
export const binding = z.strictObject({
  t: z.literal("mooring/envelope/v1"),
  fleet: fleetId,
  machine: machineId,
  key: digest,
  grant: grantSchema,
  grantDigest: digest,
  bundle: z.nullable(digest),
  version: counter,
  bindingSerial: counter,
  notBefore: time,
  notAfter: time,
});
export type Binding = z.infer<typeof binding>;

/** A sealed secret for one grant on one machine. aad = canonical bytes of its Binding; sig = the vault's Ed25519 over
 *  "mooring/envelope/v1\n" ‖ framed(aad, enc, ct); signer = digest of the vault key's text in trust.vaultKeys. */
export const envelope = z.strictObject({
  v: z.literal(1),
  suite: z.literal(SUITE),
  aad: bytes64,
  enc: bytes64,
  ct: bytes64,
  signer: digest,
  sig: bytes64,
});
export type Envelope = z.infer<typeof envelope>;

/** A machine that holds no running lease opens nothing. Signed by the vault: sig = Ed25519 over "mooring/lease/v1\n" ‖ canon(lease). */
export const lease = z.strictObject({
  t: z.literal("mooring/lease/v1"),
  fleet: fleetId,
  machine: machineId,
  key: digest,
  serial: counter,
  notBefore: time,
  notAfter: time,
});
export type Lease = z.infer<typeof lease>;
export const signedLease = z.strictObject({ bytes: bytes64, signer: digest, sig: bytes64 });
export type SignedLease = z.infer<typeof signedLease>;

/** PUT /v1/bindings. A tombstone takes an envelope away: name of the grant section. */
export const bindingsRequest = z.strictObject({ envelopes: z.readonly(z.array(envelope)), tombstones: z.readonly(z.array(z.string())) });
export const bindingsAnswer = z.object({
  items: z.readonly(
    z.array(z.object({ grant: z.string(), outcome: z.enum(["accepted", "stale", "refused"]), code: z.optional(z.string()) })),
  ),
});
export type BindingsAnswer = z.infer<typeof bindingsAnswer>;

/** A signed operator statement (pause, hold, prune, restore, override, reset, revoke): SSHSIG namespace mooring-action over `bytes`. */
export const signedStatement = signedItem;
export type SignedStatement = z.infer<typeof signedItem>;
export const statement = z.strictObject({
  t: z.literal("mooring/action/v1"),
  fleet: fleetId,
  action: z.enum(["pause", "hold", "prune", "restore", "override", "reset", "revoke"]),
  target: z.nullable(z.strictObject({ kind: z.enum(["secret", "plugin", "machine", "signer"]), name: z.string() })),
  machines: z.union([z.literal("all"), z.readonly(z.array(machineId))]),
  reason: z.string(),
  issued: time,
  expires: z.nullable(time),
});
export type Statement = z.infer<typeof statement>;

/** POST /v1/seal of the vault: proof as a machine gets it, plus the age files of the secret sections, by digest. The vault verifies all of it
 *  itself, then answers one envelope for each grant and a lease. */
export const sealRequest = z.strictObject({
  machine: machineId,
  desired: bytes64,
  release: releaseProof,
  files: z.readonly(z.record(z.string(), bytes64)),
});
export type SealRequest = z.infer<typeof sealRequest>;
export const sealAnswer = z.object({
  envelopes: z.readonly(z.array(z.object({ grant: z.string(), envelope }))),
  refused: z.readonly(z.array(z.object({ grant: z.string(), code: z.string(), message: z.string() }))),
  lease: z.nullable(signedLease),
});
export type SealAnswer = z.infer<typeof sealAnswer>;

/** GET /v1/info of the vault. */
export const vaultInfo = z.object({
  fleet: fleetId,
  uid: counter,
  recipient: z.string(),
  key: z.string(),
  origin: z.string(),
  treeSize: counter,
  /** Newest release any machine was sealed for; null before the first. */
  newestSerial: z.nullable(counter),
});
export type VaultInfo = z.infer<typeof vaultInfo>;
