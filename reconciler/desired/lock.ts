import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { treeDigest } from "#proof/root/index.ts";
import { type PluginLock, pluginLock } from "#schemas/fleet/index.ts";

const MAX_BYTES = 8 * 1024 * 1024; // 20,000 files of a vendored tree take 3 MiB

/** The lock in `bytes`, or in words what is wrong with it. Its list of files must give its own tree digest. */
export function readLock(bytes: Uint8Array): PluginLock | string {
  if (bytes.length > MAX_BYTES) return "the lock has more than 8 MiB";
  const result = pluginLock.safeParse(parse(bytes));
  if (!result.success) return `the lock is not of its form at ${result.error.issues[0]?.path.join(".") || "the top"}`;
  const lock = result.data;
  if (treeOf(lock) !== lock.tree) return "the lock's files do not give its tree digest";
  if (!lock.files.some(([path]) => path === lock.main)) return "the lock's main is not among its files";
  return lock;
}

/** Where the lock of a plugin's version lies; an override with another version has its own. */
export function lockPath(plugin: string, version: string, isOverride: boolean): string {
  return isOverride ? `plugins/${plugin}-${version}.lock.json` : `plugins/${plugin}.lock.json`;
}

function treeOf(lock: PluginLock): Digest | null {
  try {
    return treeDigest(lock.files);
  } catch (err) {
    if (err instanceof MooringError) return null; // a path twice
    throw err;
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}
