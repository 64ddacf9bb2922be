import { MooringError } from "#base/errors/index.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of this user is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk fails",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EMFILE: "this process has too many files open",
};

/** Runs `work`, which writes below `path`; what the operating system refuses there becomes SOURCE_STORE_FAILED. */
export async function storing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause && "syscall" in cause ? String(cause.code) : "";
    const why = REASONS[code];
    if (cause instanceof MooringError || why === undefined) throw cause;
    throw new MooringError("SOURCE_STORE_FAILED", path, { why: `${why}; the last good revision stays in force`, cause });
  }
}
