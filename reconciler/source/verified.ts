import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { isJsonObject, type Json } from "#base/canonical/index.ts";
import { makeFolder, readIfThere, writeDurable } from "#base/durable/index.ts";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { isAncestor } from "./ancestry.ts";
import { commitName } from "./author.ts";
import { storing } from "./disk.ts";
import type { Objects, Oid } from "./objects.ts";

/** Where we are: the newest revision that passed every check, and the serial of the release that covers it. */
export type Verified = { readonly revision: Oid; readonly serial: number };

/** What `file` says, or null when there is none: the caller then asks the machines what they attest, and never takes HEAD for it. A file in which a bit changed
 *  is made again from its spare; SOURCE_STATE_BROKEN when that can't be read either. */
export async function readVerified(file: string): Promise<Verified | null> {
  const bytes = await readIfThere(file);
  if (bytes === null) return null; // also where a spare is: moving the file away means to begin again
  try {
    return parse(bytes, file);
  } catch (err) {
    if (!hasCode(err, "SOURCE_STATE_BROKEN")) throw err;
    const spare = await readIfThere(spareOf(file));
    if (spare === null) throw err;
    const verified = parse(spare, spareOf(file));
    await storing(file, () => writeDurable(file, spare));
    return verified;
  }
}

/** Replaces the file in one durable step; a crash leaves the old or the new revision, whole. The spare is written first, so it is never older. */
export async function storeVerified(file: string, { revision, serial }: Verified): Promise<void> {
  const text = `${JSON.stringify({ v: 1, revision, serial, sum: sumOf(revision, serial) })}\n`;
  await storing(file, async () => {
    await makeFolder(dirname(file));
    await writeDurable(spareOf(file), text);
    await writeDurable(file, text);
  });
}

function spareOf(file: string): string {
  return `${file}.spare`;
}

/** A flipped digit would still be a revision: it would look as if somebody had rewritten main. */
function sumOf(revision: Oid, serial: number): string {
  return createHash("sha256").update(`${revision} ${serial}`).digest("hex").slice(0, 16);
}

/** Passes when `head` is the last verified revision or a descendant of it, or there is none yet; else SOURCE_NOT_FAST_FORWARD. */
export async function checkAdvance(objects: Objects, last: Oid | null, head: Oid): Promise<void> {
  if (last === null || last === head || (await isAncestor(objects, last, head))) return;
  throw new MooringError("SOURCE_NOT_FAST_FORWARD", `main is at ${await commitName(objects, head)}`, {
    why: `main only ever grows, and the last verified commit ${last.slice(0, 12)} is not among that commit's ancestors: somebody rewrote the branch`,
    fix: `from a clone that has it: \`git push --force origin ${last.slice(0, 12)}:main\`, then what is new on top; history that was applied is never rewritten`,
    have: last,
  });
}

function parse(bytes: Uint8Array, file: string): Verified {
  const value = jsonOf(bytes, file);
  if (!isJsonObject(value) || value["v"] !== 1) throw broken(file);
  const { v: _, revision, serial, sum = null, ...more } = value;
  if (typeof revision !== "string" || !/^[0-9a-f]{40}$/.test(revision) || typeof serial !== "number" || !Number.isSafeInteger(serial))
    throw broken(file);
  const isSound = sum === null || sum === sumOf(revision, serial); // mooring 0.1 wrote none
  if (!isSound || Object.keys(more).length > 0) throw broken(file);
  return { revision, serial };
}

function jsonOf(bytes: Uint8Array, file: string): Json {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as Json;
  } catch (cause) {
    throw broken(file, cause);
  }
}

function broken(file: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_STATE_BROKEN", file, { why: "it is not a last-verified record, or not as we wrote it", cause });
}
