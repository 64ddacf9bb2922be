import { join } from "node:path";
import { readCanonical } from "#base/canonical/index.ts";
import { readIfThere } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type AuditEntry, auditEntry } from "#schemas/audit/index.ts";
import { decodeEntries, encodeTile, leafHash, type NoteKey, TILE_WIDTH as WIDTH, tilePath } from "#proof/tlog/index.ts";
import { corrupt, readCheckpoint } from "./checkpoint.ts";
import { EMPTY, type Edge, grow, rootOf } from "./tree.ts";

/** The bytes at a path of the log (`checkpoint`, `tile/…`), null when there is nothing. */
export type LogReader = (path: string) => Promise<Uint8Array | null>;

/** What somebody saw of the log before: the new one MUST contain it as its beginning. */
export type LogHead = { readonly size: number; readonly root: Uint8Array };

export type VerifiedLog = {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly entries: readonly AuditEntry[];
};

/** Reads a log from its folder. */
export function folderReader(dir: string): LogReader {
  return async (path) => await readIfThere(join(dir, path));
}

/** All entries of a log after every hash was computed anew: the checkpoint's signature, each entry's form and place, each tile, the root, and
 *  that the log begins with what was `seen`. Trusts nothing of the writer but its key. Throws AUDIT_CORRUPT, AUDIT_TRUNCATED, AUDIT_FORKED. */
export async function verifyLog(read: LogReader, origin: string, key: NoteKey, seen?: LogHead): Promise<VerifiedLog> {
  const note = await read("checkpoint");
  if (note === null) throw corrupt(origin, "there is no checkpoint");
  const point = readCheckpoint(note, origin, key);
  if (seen !== undefined && point.size < seen.size)
    throw new MooringError("AUDIT_TRUNCATED", `audit log ${origin}: ${point.size} entries, ${seen.size} were seen before`);
  const entries: AuditEntry[] = [];
  let edge: Edge = EMPTY;
  for (let n = 0; n * WIDTH < point.size; n++) {
    const leaves = await readLeaves(read, n, Math.min(WIDTH, point.size - n * WIDTH), origin);
    entries.push(...leaves.map((leaf, i) => entryOf(leaf, n * WIDTH + i, origin)));
    const before = edge;
    const hashes = leaves.map(leafHash);
    const { edge: next, full } = grow(before, hashes);
    checkSeen(before, hashes, seen, origin);
    for (const tile of full) await checkTile(read, tile.level, tile.n, tile.hashes, origin);
    edge = next;
  }
  await checkEdge(read, edge, origin);
  if (Buffer.compare(rootOf(edge), point.root) !== 0) throw corrupt(origin, "the entries do not give the signed root");
  return { origin, size: point.size, root: point.root, entries };
}

function checkSeen(before: Edge, hashes: readonly Uint8Array[], seen: LogHead | undefined, origin: string): void {
  if (seen === undefined || seen.size <= before.size || seen.size > before.size + hashes.length) return;
  const then = grow(before, hashes.slice(0, seen.size - before.size)).edge;
  if (Buffer.compare(rootOf(then), seen.root) !== 0)
    throw new MooringError("AUDIT_FORKED", `audit log ${origin}: its first ${seen.size} entries are others than before`);
}

async function readLeaves(read: LogReader, n: number, width: number, origin: string): Promise<Uint8Array[]> {
  const path = tilePath({ level: "entries", index: n, width });
  const bytes = (await read(path)) ?? (await read(tilePath({ level: "entries", index: n, width: WIDTH })));
  if (bytes === null) throw corrupt(origin, `${path} is missing`);
  const leaves = decoded(bytes, path, origin);
  if (leaves.length < width) throw corrupt(origin, `${path} ends early`);
  return leaves.slice(0, width);
}

function decoded(bytes: Uint8Array, path: string, origin: string): Uint8Array[] {
  try {
    return decodeEntries(bytes);
  } catch (cause) {
    throw corrupt(origin, `${path} is no bundle of entries`, cause);
  }
}

function entryOf(leaf: Uint8Array, index: number, origin: string): AuditEntry {
  const parsed = auditEntry.safeParse(canonicalOf(leaf, index, origin));
  if (!parsed.success || parsed.data.seq !== index) throw corrupt(origin, `entry ${index} is not an audit entry of that place`);
  return parsed.data;
}

function canonicalOf(leaf: Uint8Array, index: number, origin: string): unknown {
  try {
    return readCanonical(leaf);
  } catch (cause) {
    throw corrupt(origin, `entry ${index} is not canonical`, cause);
  }
}

async function checkEdge(read: LogReader, edge: Edge, origin: string): Promise<void> {
  for (const [level, hashes] of edge.levels.entries()) {
    if (hashes.length > 0) await checkTile(read, level, Math.floor(edge.size / WIDTH ** (level + 1)), hashes, origin);
  }
}

/** A tile holds the hashes computed here; a full one may stand where a partial one was. */
async function checkTile(read: LogReader, level: number, n: number, hashes: readonly Uint8Array[], origin: string): Promise<void> {
  const path = tilePath({ level, index: n, width: hashes.length });
  const bytes = (await read(path)) ?? (await read(tilePath({ level, index: n, width: WIDTH })));
  if (bytes === null || Buffer.compare(bytes.subarray(0, hashes.length * 32), encodeTile(hashes)) !== 0)
    throw corrupt(origin, `${path} holds other hashes than its entries`);
}
