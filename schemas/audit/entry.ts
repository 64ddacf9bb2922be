import { counter, digest, time } from "#schemas/wire/index.ts";
import * as z from "zod/mini";

/** What an audit entry can be about. `secret.*` and `*.install` are a machine's, `vault.*`, `lease.issue` and `rotate.*` the vault's. */
export const AUDIT_OPS = [
  "log.open",
  "secret.open",
  "secret.deny",
  "secret.suppressed",
  "lease.install",
  "bindings.install",
  "state.install",
  "attest.sign",
  "pack.unwrap",
  "vault.open",
  "vault.seal",
  "vault.deny",
  "vault.cosign",
  "lease.issue",
  "rotate.step",
] as const;

export const auditOp = z.enum(AUDIT_OPS);
export type AuditOp = z.infer<typeof auditOp>;

/** One entry of an audit log; its canonical bytes are the leaf. Never a value of a secret, its length or a hash of it. `machine` is who the
 *  entry is about: the machine itself in its own log, the machine sealed for in the vault's. `envelope` = digest of the envelope's canonical
 *  bytes. `count` = how many like it were not written one by one (`secret.suppressed`). */
export const auditEntry = z.strictObject({
  v: z.literal(1),
  t: time,
  seq: counter,
  bootId: z.string(),
  machine: z.nullable(z.string()),
  op: auditOp,
  ref: z.nullable(z.string()),
  version: z.nullable(counter),
  plugin: z.nullable(z.string()),
  bundle: z.nullable(digest),
  runSeq: z.nullable(counter),
  grant: z.nullable(z.string()),
  envelope: z.nullable(digest),
  outcome: z.enum(["ok", "denied", "failed"]),
  code: z.nullable(z.string()),
  count: z.nullable(counter),
});
export type AuditEntry = z.infer<typeof auditEntry>;

/** What a caller gives; the log adds form, time, place and boot, and null for what is left out. */
export type AuditEvent = Pick<AuditEntry, "op" | "outcome"> & Partial<Omit<AuditEntry, "v" | "t" | "seq" | "bootId" | "op" | "outcome">>;
