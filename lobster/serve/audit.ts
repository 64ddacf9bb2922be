import { hasCode, MooringError } from "#base/errors/index.ts";
import { isErrno } from "#base/durable/index.ts";
import { parseCheckpoint, parseNote, parseTilePath } from "#proof/tlog/index.ts";
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { join } from "node:path";

const MAX_BYTES = 17 * 1024 * 1024; // 256 entries of 64 KiB, the most a bundle of entries holds

/** Bytes of `checkpoint` or of one tile of the bridge's log in `folder`. Only spellings of C2SP tlog-tiles name a file, and a link is not followed
 *  out of the folder. Throws AUDIT_PATH_UNKNOWN. */
export async function readAudit(folder: string, path: string): Promise<Uint8Array> {
  if (path !== "checkpoint" && !isTile(path)) throw unknown();
  try {
    const real = await realpath(join(folder, path));
    if (real !== join(await realpath(folder), path)) throw unknown();
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > MAX_BYTES) throw unknown();
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ELOOP") || isErrno(err, "ENOTDIR")) throw unknown();
    throw err;
  }
}

/** Entries that the published checkpoint of the log in `folder` counts; 0 before the first. */
export async function auditSize(folder: string): Promise<number> {
  try {
    return parseCheckpoint(parseNote(await readAudit(folder, "checkpoint")).text).size;
  } catch (err) {
    if (hasCode(err, "AUDIT_PATH_UNKNOWN")) return 0;
    throw err;
  }
}

function isTile(path: string): boolean {
  try {
    parseTilePath(path);
    return true;
  } catch (err) {
    if (err instanceof MooringError) return false;
    throw err;
  }
}

function unknown(): MooringError {
  return new MooringError("AUDIT_PATH_UNKNOWN", "the audit log has no such file");
}
