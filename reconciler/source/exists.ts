import { access } from "node:fs/promises";
import { isErrno } from "#base/durable/index.ts";

/** Whether something is at `path`; other errors than "no such file" are thrown. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return false;
    throw err;
  }
}
