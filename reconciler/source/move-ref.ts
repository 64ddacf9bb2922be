import { mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isErrno, renameDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { localTip } from "./local.ts";
import type { Oid } from "./objects.ts";

/** Moves `branch` of a local repository from `from` (null = it must not exist) to `to` under git's own lock file, so that git and we exclude
 *  each other (gitrepository-layout(5)). SOURCE_PUSH_RACED when somebody holds the lock or was faster. */
export async function moveRef(gitdir: string, branch: string, from: Oid | null, to: Oid): Promise<void> {
  const path = join(gitdir, "refs/heads", branch);
  const lock = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true });
  const file = await takeLock(lock, branch);
  try {
    try {
      if ((await localTip(gitdir, branch)) !== from)
        throw new MooringError("SOURCE_PUSH_RACED", `branch ${branch}`, { why: "somebody else moved it meanwhile" });
      await file.writeFile(`${to}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await renameDurable(lock, path);
  } catch (err) {
    await unlink(lock).catch(() => undefined); // gone already when the rename worked; `err` is what counts
    throw err;
  }
}

async function takeLock(lock: string, branch: string): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    return await open(lock, "wx", 0o644);
  } catch (cause) {
    if (!isErrno(cause, "EEXIST")) throw cause;
    throw new MooringError("SOURCE_PUSH_RACED", `branch ${branch}`, {
      why: "another git is writing it",
      fix: `run it again; if no git runs, remove ${lock}`,
      cause,
    });
  }
}
