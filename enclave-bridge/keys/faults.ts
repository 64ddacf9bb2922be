import { MooringError } from "#base/errors/index.ts";
import type { KeyUse } from "./driver.ts";

/** Why a driver can't use a key: the vocabulary that a helper program (Swift, TPM) answers with. */
export type KeyFault = "locked" | "gone" | "presence" | "unavailable" | "denied";

const CODES = {
  locked: "DEVICE_LOCKED",
  gone: "KEY_GONE",
  presence: "USER_PRESENCE_REQUIRED",
  unavailable: "KEY_UNAVAILABLE",
  denied: "KEY_USE_DENIED",
} as const;

/** The error of a fault; its code decides what the queue does next. */
export function keyError(fault: KeyFault, use: KeyUse, why: string, cause?: unknown): MooringError {
  return new MooringError(CODES[fault], `device key ${use}`, { why, cause });
}
