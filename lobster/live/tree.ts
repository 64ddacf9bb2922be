import { type Digest, digestFrom } from "#base/canonical/index.ts";
import { isErrno } from "#base/durable/index.ts";
import type { HeldBundle } from "#lobster/contract.ts";
import type { PathDrift } from "#schemas/wire/index.ts";
import { createHash, hash } from "node:crypto";
import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { diskMode, FOLDER_MODE } from "../content/mode.ts";

/** `stat` trusts a hash taken before as long as inode, ctime, size, mode and owner are the same (a reset mtime does not fool ctime); `hash` reads
 *  every byte. */
export type Level = "stat" | "hash";

/** Hashes taken before, by path; one map for each generation folder. */
export type HashCache = Map<string, { readonly print: string; readonly sha256: Digest }>;

/** What is not as `held` says below `folder`, sorted by path: content, mode and owner of files, and whatever else is there. Links are never
 *  followed. `uid` owns all of it. */
export async function observeTree(
  folder: string,
  held: HeldBundle,
  uid: number,
  cache: HashCache,
  level: Level,
): Promise<readonly PathDrift[]> {
  const found = new Map<string, BigIntStats>();
  const rest = pacer();
  const root = lstatIfThere(folder);
  if (root !== null) found.set("", root);
  if (root?.isDirectory() === true) await walk(folder, "", found, rest);
  const drift: PathDrift[] = [];
  for (const path of foldersOf(held)) {
    const stats = found.get(path);
    found.delete(path);
    if (stats === undefined || !stats.isDirectory())
      drift.push({ path: path === "" ? "." : path, what: stats === undefined ? "missing" : "changed", have: null, want: null });
    else if (!isOurs(stats, FOLDER_MODE, uid)) drift.push({ path: path === "" ? "." : path, what: "changed", have: null, want: null });
  }
  for (const [path, mode, , sha256] of held.files) {
    const stats = found.get(path);
    found.delete(path);
    if (stats === undefined) {
      drift.push({ path, what: "missing", have: null, want: sha256 });
      continue;
    }
    await rest();
    const have = stats.isFile() ? await hashOf(join(folder, path), stats, cache, level) : null;
    if (have !== sha256 || !isOurs(stats, diskMode(mode), uid)) drift.push({ path, what: "changed", have, want: sha256 });
  }
  for (const path of found.keys()) drift.push({ path, what: "extra", have: null, want: null });
  return drift.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Every folder a tree has, the tree itself as "" first, parents before children. */
export function foldersOf(held: HeldBundle): readonly string[] {
  const folders = new Set([""]);
  for (const [path] of held.files) {
    const parts = path.split("/");
    for (let i = 1; i < parts.length; i++) folders.add(parts.slice(0, i).join("/"));
  }
  return [...folders];
}

// Calls to the file system are synchronous here: through Node's thread pool a pass over 2 MB in 220 files took 35 ms of CPU, this way 5 (measured).
// So that a big tree stops nobody for long, the loop gets its turn after each stretch of this length.
const STRETCH_MS = 5;

function pacer(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < STRETCH_MS) return;
    await setImmediate();
    since = performance.now();
  };
}

async function walk(base: string, under: string, found: Map<string, BigIntStats>, rest: () => Promise<void>): Promise<void> {
  for (const name of namesIn(join(base, under))) {
    const path = under === "" ? name : `${under}/${name}`;
    const stats = lstatIfThere(join(base, path));
    if (stats === null) continue;
    found.set(path, stats);
    await rest();
    if (stats.isDirectory()) await walk(base, path, found, rest);
  }
}

/** Empty for a folder that went away, or turned into something else, since it was listed: its files then count as missing. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ENOTDIR")) return [];
    throw err;
  }
}

async function hashOf(path: string, stats: BigIntStats, cache: HashCache, level: Level): Promise<Digest | null> {
  const print = fingerprint(stats);
  const known = cache.get(path);
  if (level === "stat" && known?.print === print) return known.sha256;
  const sha256 = await hashFile(path, Number(stats.size));
  // ctime has the grain of the kernel's tick: a file changed in the last instants may be changed again under the same ctime.
  const settled = Date.now() - Number(stats.ctimeNs / 1_000_000n) > 50;
  if (sha256 !== null && settled) cache.set(path, { print, sha256 });
  else cache.delete(path);
  return sha256;
}

const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const WHOLE_BYTES = 1024 * 1024; // files up to this size are read in one go: well under a stretch

async function hashFile(path: string, size: number): Promise<Digest | null> {
  try {
    return size <= WHOLE_BYTES ? hashWhole(path, size) : await hashStream(path);
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ELOOP")) return null; // moved away, or turned into a link, since it was listed
    throw err;
  }
}

function hashWhole(path: string, size: number): Digest {
  const file = openSync(path, READ_ONLY);
  try {
    const bytes = Buffer.allocUnsafe(size + 1); // one more, so that a file that grew since has another hash
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) got = readSync(file, bytes, length, bytes.length - length, null);
    return digestFrom(hash("sha256", bytes.subarray(0, length), "buffer"));
  } finally {
    closeSync(file);
  }
}

async function hashStream(path: string): Promise<Digest> {
  const file = await open(path, READ_ONLY);
  try {
    const hash = createHash("sha256");
    for await (const part of file.createReadStream({ autoClose: false })) hash.update(part as Uint8Array);
    return digestFrom(hash.digest());
  } finally {
    await file.close();
  }
}

function fingerprint(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.ctimeNs, stats.size, stats.mode, stats.uid].join(" ");
}

function isOurs(stats: BigIntStats, mode: number, uid: number): boolean {
  return Number(stats.mode & 0o7777n) === mode && Number(stats.uid) === uid;
}

function lstatIfThere(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true });
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ENOTDIR")) return null;
    throw err;
  }
}
