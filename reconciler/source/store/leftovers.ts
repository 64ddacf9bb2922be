import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "#base/durable/index.ts";

const OLD_MS = 3_600_000; // nothing of ours is half written for so long

/** Removes what processes that were killed left in a copy: packs they were receiving, packs without an index, notes they were writing. What a process that
 *  runs may still be writing is left alone. */
export async function sweepLeftovers(copy: string): Promise<void> {
  const folder = join(copy, "objects/pack");
  const names = await readdir(folder);
  for (const name of names) {
    const pid = Number(/^tmp-(\d+)-/.exec(name)?.[1] ?? 0);
    const isAlone = /^pack-.*\.pack$/.test(name) && !names.includes(name.replace(/pack$/, "idx"));
    if ((pid > 0 && !isAlive(pid)) || (isAlone && (await isOld(join(folder, name))))) await rm(join(folder, name), { force: true });
  }
  for (const name of await readdir(copy)) {
    if (/^mooring\.json\..*\.tmp$/.test(name) && (await isOld(join(copy, name)))) await rm(join(copy, name), { force: true });
  }
}

/** Whether a process of this number runs; one that isn't ours counts as well. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return !isErrno(err, "ESRCH");
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < Date.now() - OLD_MS;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return false;
    throw err;
  }
}
