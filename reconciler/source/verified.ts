import { isJsonObject, type Json } from "#base/canonical/index.ts";
import { makeFolder, readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { dirname } from "node:path";
import { isAncestor } from "./ancestry.ts";
import type { Objects, Oid } from "./objects.ts";

/** Where we are: the newest revision that passed every check, and the serial of the release that covers it. */
export type Verified = { readonly revision: Oid; readonly serial: number };

/** What `file` says, or null when there is none: the caller then asks the machines what they attest, and never takes HEAD for it. Throws
 *  SOURCE_STATE_BROKEN for a file that isn't ours. */
export async function readVerified(file: string): Promise<Verified | null> {
  const bytes = await readIfThere(file);
  if (bytes === null) return null;
  const value = parse(bytes, file);
  if (!isJsonObject(value) || value["v"] !== 1) throw broken(file);
  const { revision, serial } = value;
  if (typeof revision !== "string" || !/^[0-9a-f]{40}$/.test(revision) || !Number.isSafeInteger(serial)) throw broken(file);
  return { revision, serial: serial as number };
}

/** Replaces the file in one durable step; a crash leaves the old or the new revision, whole. */
export async function storeVerified(file: string, verified: Verified): Promise<void> {
  await makeFolder(dirname(file));
  await writeDurable(file, `${JSON.stringify({ v: 1, revision: verified.revision, serial: verified.serial })}\n`);
}

/** Passes when `head` is the last verified revision or a descendant of it, or there is none yet; else SOURCE_NOT_FAST_FORWARD. */
export async function checkAdvance(objects: Objects, last: Oid | null, head: Oid): Promise<void> {
  if (last === null || last === head || (await isAncestor(objects, last, head))) return;
  throw new MooringError("SOURCE_NOT_FAST_FORWARD", `main is at ${head.slice(0, 12)}`, {
    why: `the last verified commit ${last.slice(0, 12)} is not among its ancestors: somebody rewrote the branch`,
    have: last,
  });
}

function parse(bytes: Uint8Array, file: string): Json {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as Json;
  } catch (cause) {
    throw broken(file, cause);
  }
}

function broken(file: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_STATE_BROKEN", file, { why: "it is not a last-verified record", cause });
}
