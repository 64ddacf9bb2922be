import { faultPoint, isErrno } from "#base/durable/index.ts";
import type { HeldBundle } from "#lobster/contract.ts";
import type { PathDrift } from "#schemas/wire/index.ts";
import type { Stats } from "node:fs";
import { chmod, lchown, lstat, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContentStore } from "../content/index.ts";
import { FOLDER_MODE } from "../content/index.ts";
import { foldersOf } from "../live/index.ts";

/** Puts the drifted paths of one tree right from the content store: what is extra goes, folders come back, files are written anew, each whole or
 *  not at all. Nothing outside `tree` is touched; links are removed, never followed. Throws CONTENT_CORRUPT when the store cannot give a file. */
export async function repairTree(
  tree: string,
  held: HeldBundle,
  drift: readonly PathDrift[],
  uid: number,
  content: ContentStore,
): Promise<void> {
  for (const { path, what } of drift) {
    if (what !== "extra") continue;
    faultPoint(`remove ${path}`);
    await rm(join(tree, path), { recursive: true, force: true });
  }
  for (const folder of foldersOf(held)) await repairFolder(join(tree, folder), uid);
  const files = new Map(held.files.map((file) => [file[0], file]));
  for (const { path } of drift) {
    const file = files.get(path);
    if (file === undefined) continue;
    const target = join(tree, path);
    const stats = await lstatIfThere(target);
    if (stats?.isDirectory() === true) await rm(target, { recursive: true, force: true });
    await content.restore(file, target);
  }
}

async function repairFolder(path: string, uid: number): Promise<void> {
  const stats = await lstatIfThere(path);
  if (stats !== null && !stats.isDirectory()) await rm(path);
  if (stats === null || !stats.isDirectory()) await mkdir(path, { mode: FOLDER_MODE });
  else if (stats.uid !== uid) await lchown(path, uid, stats.gid);
  await chmod(path, FOLDER_MODE);
}

async function lstatIfThere(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}
