import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { indexPack, init, writeRef } from "isomorphic-git";
import { makeFolder } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { exists } from "./exists.ts";
import { localTip } from "./local.ts";
import { Objects, type Oid } from "./objects.ts";
import type { Transport } from "./transport/index.ts";

/** Branch → tip, of those branches that exist on the server. */
export async function listTips(transport: Transport, branches: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Oid>> {
  const names = new Map(branches.map((branch) => [`refs/heads/${branch}`, branch]));
  const refs = await transport.listRefs([...names.keys()], signal);
  return new Map([...refs].flatMap(([ref, oid]) => (names.has(ref) ? [[names.get(ref) ?? "", oid]] : [])));
}

/** Makes `gitdir` an empty copy. */
export async function initCopy(gitdir: string): Promise<void> {
  await makeFolder(gitdir);
  await init({ fs, dir: gitdir, gitdir, bare: true, defaultBranch: "main" });
}

/** Downloads `tip` of `branch`, with its history unless `depth` says less, into `gitdir`. Afterwards our own reference names it, so that the next fetch
 *  says what we have and costs only what is new. */
export async function fetchBranch(
  transport: Transport,
  gitdir: string,
  objects: Objects,
  branch: string,
  tip: Oid,
  signal: AbortSignal,
  depth?: number,
): Promise<Oid> {
  const have = await localTip(gitdir, branch);
  const request = { wants: [tip], haves: have === null ? [] : [have], ...(depth === undefined ? {} : { depth }) };
  const { pack } = await transport.fetchPack(request, signal);
  await storePack(gitdir, objects, pack);
  await objects.commit(tip); // there, whole, and what its id says
  await writeRef({ fs, dir: gitdir, gitdir, ref: `refs/heads/${branch}`, value: tip, force: true });
  return tip;
}

/** A pack gets its name, and so counts, only when its own checksum holds. */
async function storePack(gitdir: string, objects: Objects, pack: AsyncIterable<Uint8Array>): Promise<void> {
  const folder = join(gitdir, "objects/pack");
  await makeFolder(folder);
  const draft = join(folder, `tmp_${randomBytes(6).toString("hex")}`);
  try {
    const name = await writePack(draft, pack);
    if (name === null) return;
    await rename(draft, join(folder, `${name}.pack`));
    await indexPack({ fs, dir: gitdir, gitdir, filepath: `objects/pack/${name}.pack`, cache: objects.cache });
  } catch (cause) {
    if (cause instanceof MooringError) throw cause;
    throw new MooringError("SOURCE_CORRUPT", "a pack", { why: "what arrived does not fit together", cause });
  } finally {
    await rm(draft, { force: true });
  }
}

/** Null for a pack without objects: there was nothing we lacked. */
async function writePack(path: string, pack: AsyncIterable<Uint8Array>): Promise<string | null> {
  const hash = createHash("sha1");
  let tail = Buffer.alloc(0); // the last 20 bytes are the checksum of what is before them
  let head = Buffer.alloc(0);
  const file = await open(path, "wx");
  try {
    for await (const chunk of pack) {
      await file.writeFile(chunk);
      if (head.length < 12) head = Buffer.concat([head, chunk.subarray(0, 12)]);
      const joined = Buffer.concat([tail, chunk]);
      const cut = Math.max(0, joined.length - 20);
      hash.update(joined.subarray(0, cut));
      tail = joined.subarray(cut);
    }
    const sum = hash.digest();
    if (head.length < 12 || head.toString("latin1", 0, 4) !== "PACK" || !sum.equals(tail))
      throw new MooringError("SOURCE_CORRUPT", "a pack", { why: "its checksum is wrong" });
    return head.readUInt32BE(8) === 0 ? null : `pack-${sum.toString("hex")}`;
  } finally {
    await file.close();
  }
}

/** Puts a fresh copy in place of `gitdir`. A crash in between leaves no copy or the new one; either is made again or used. */
export async function swapCopy(gitdir: string, fresh: string): Promise<void> {
  const old = `${fresh}.old`;
  if (await exists(gitdir)) await rename(gitdir, old);
  await rename(fresh, gitdir);
  await rm(old, { recursive: true, force: true });
}

/** Removes what an interrupted copy or swap left beside `gitdir`. */
export async function sweepCopies(gitdir: string): Promise<void> {
  await makeFolder(dirname(gitdir));
  for (const name of await readdir(dirname(gitdir))) {
    if (name.startsWith(`${basename(gitdir)}.fresh-`)) await rm(join(dirname(gitdir), name), { recursive: true, force: true });
  }
}
