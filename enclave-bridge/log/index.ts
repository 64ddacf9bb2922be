export type { AuditEntry, AuditEvent, AuditOp } from "#schemas/audit/index.ts";
export { type AuditLog, type LogOptions, openLog } from "./log.ts";
export { type LogKey, type NoteSigner, ecdsaKey, ecdsaSigner, ed25519Key, ed25519Signer } from "./signer.ts";
export { folderReader, type LogHead, type LogReader, verifyLog, type VerifiedLog } from "./verify.ts";
