export type { AuditEntry, AuditEvent, AuditOp } from "#schemas/audit/index.ts";
export { type AuditLog, type LogOptions, openLog } from "./log.ts";
export { ecdsaSigner, ed25519Signer, type NoteSigner, rawEd25519 } from "./signer.ts";
export { folderReader, type LogHead, type LogReader, verifyLog, type VerifiedLog } from "./verify.ts";
