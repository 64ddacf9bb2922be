export { AUDIT_OPS, type AuditEntry, type AuditEvent, type AuditOp, auditEntry, auditOp } from "./entry.ts";
