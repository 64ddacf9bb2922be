import { randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "#base/durable/index.ts";

const RUN = randomBytes(4).toString("hex"); // in a container every run may have the same number
const OWN = /^(?:copy|tmp)-(\d+)-([0-9a-f]{8})[0-9a-f]+(?:\.|$)/;

/** A name for something that is gone or renamed when this process ends well; `isLeftover` tells when it ended otherwise. */
export function ownName(kind: "copy" | "tmp"): string {
  return `${kind}-${process.pid}-${RUN}${randomBytes(6).toString("hex")}`;
}

/** Whether `name` is an `ownName` of a process that is gone. */
export function isLeftover(name: string): boolean {
  const [, pid = "", run = ""] = OWN.exec(name) ?? [];
  if (pid === "") return false;
  return Number(pid) === process.pid ? run !== RUN : !isAlive(Number(pid));
}

const OLD_MS = 3_600_000; // nothing of ours is half written for so long

/** Removes what processes that were killed left in a copy: packs they were receiving, packs without an index, notes they were writing. What a process that
 *  runs may still be writing is left alone. */
export async function sweepLeftovers(copy: string): Promise<void> {
  const folder = join(copy, "objects/pack");
  const names = await readdir(folder);
  for (const name of names) {
    const isAlone = /^pack-.*\.pack$/.test(name) && !names.includes(name.replace(/pack$/, "idx"));
    if (isLeftover(name) || (isAlone && (await isOld(join(folder, name))))) await rm(join(folder, name), { force: true });
  }
  for (const name of await readdir(copy)) {
    if (/^mooring\.json\..*\.tmp$/.test(name) && (await isOld(join(copy, name)))) await rm(join(copy, name), { force: true });
  }
}

/** Whether a process of this number runs; one that isn't ours counts as well. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return !isErrno(err, "ESRCH");
  }
}

/** Whether nothing was written there for an hour; a command that reads is done by then. */
export async function isOld(path: string): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < Date.now() - OLD_MS;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return false;
    throw err;
  }
}
