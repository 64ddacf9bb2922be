import { isErrno } from "#base/durable/index.ts";
import { type ErrorCode, MooringError } from "#base/errors/index.ts";

/** Statuses of WIRE §1 by code; what is not named goes by disposition. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_MALFORMED: 400,
  DIGEST_MALFORMED: 400,
  BODY_STALLED: 408,
  ROUTE_UNKNOWN: 404,
  APPLY_UNKNOWN: 404,
  PLUGIN_UNKNOWN: 404,
  AUDIT_PATH_UNKNOWN: 404,
  EPOCH_STALE: 409,
  EPOCH_JUMP: 409,
  OFFSET_OTHER: 409,
  APPLY_COMMITTED: 409,
  EVENTS_STREAM_OTHER: 409,
  EVENTS_SEQ_UNKNOWN: 409,
  LIVE_MOVED: 412,
  GENERATION_MOVED: 412,
  BODY_TOO_LARGE: 413,
  PACK_CORRUPT: 422,
  APPLY_HELD: 423,
  WIRE_VERSION: 426,
  AGENT_FAULT: 500,
  NOT_YET: 501,
  DISK_FULL: 507,
};
const BY_DISPOSITION = { refused: 422, stalled: 422, wait: 423, retry: 503 } as const;

export function statusOf(err: MooringError): number {
  return STATUS[err.code] ?? BY_DISPOSITION[err.disposition];
}

/** What a caller is told about `err`: ours as it is, a full disk as DISK_FULL, anything else as AGENT_FAULT without its text. */
export function asOurs(err: unknown): MooringError {
  if (err instanceof MooringError) return err;
  if (isErrno(err, "ENOSPC") || isErrno(err, "EDQUOT")) return new MooringError("DISK_FULL", "the machine's disk is full", { cause: err });
  return new MooringError("AGENT_FAULT", "the agent failed at this request", { cause: err });
}
