import { readFileSync } from "node:fs";
import { url } from "node:inspector";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** 64 requests with one secret of 128 KiB each are 16 MiB with guard pages; most secrets are small, so half of that. */
const LOCKED_WANTED = 8 * 1024 * 1024;

/** Throws VAULT_EXPOSED unless the process was started so that its memory stays its own: SIGUSR1 opens no inspector, none is open, no options
 *  come from the environment, and no core is dumped (looked up on Linux; elsewhere the launcher's `ulimit -c 0` is trusted). */
export function refuseExposed(): void {
  const flags = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(" ")];
  if (!process.execArgv.includes("--disable-sigusr1")) throw exposed("SIGUSR1 would open the inspector: --disable-sigusr1 is missing");
  if (url() !== undefined || flags.some((flag) => flag.startsWith("--inspect") || flag.startsWith("--heapsnapshot")))
    throw exposed("the inspector or heap snapshots are on");
  if ((process.env["NODE_OPTIONS"] ?? "") !== "") throw exposed("NODE_OPTIONS is set");
  if (coreLimit() !== "0") throw exposed("a crash would write its memory to a core file: `ulimit -c 0` is missing");
}

/** Whether the process may lock less memory than a busy vault needs; then libsodium goes on with memory that may be swapped. Never for root. */
export function isLockLimitLow(): boolean {
  const limit = limitOf("Max locked memory");
  return process.getuid?.() !== 0 && limit !== null && limit !== "unlimited" && Number(limit) < LOCKED_WANTED;
}

/** The soft limit of core files' size as Linux tells it; "0" where nothing can be read. */
function coreLimit(): string {
  return limitOf("Max core file size") ?? "0";
}

function limitOf(name: string): string | null {
  try {
    const line = readFileSync("/proc/self/limits", "latin1")
      .split("\n")
      .find((one) => one.startsWith(name));
    return line?.slice(name.length).trim().split(/\s+/)[0] ?? null;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}

function exposed(why: string): MooringError {
  return new MooringError("VAULT_EXPOSED", "the vault does not start", { why });
}
