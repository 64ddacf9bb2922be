import { isErrno } from "#base/durable/index.ts";
import type { Layout } from "#lobster/contract.ts";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Removes temporary files that a crash left beside what was being replaced; they were never part of anything. */
export async function removeStaleTemps(layout: Layout): Promise<void> {
  const folders = ["", "statements", "events", "packs"].map((name) => join(layout.state, name));
  for (const folder of [...folders, join(layout.content, "blobs"), join(layout.content, "bundles")]) await sweep(folder);
}

async function sweep(folder: string): Promise<void> {
  try {
    for (const name of await readdir(folder)) if (/\.[0-9a-f]{12}\.tmp$/.test(name)) await rm(join(folder, name), { force: true });
  } catch (err) {
    if (!isErrno(err, "ENOENT")) throw err;
  }
}
