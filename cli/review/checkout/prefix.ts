import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import type { Oid } from "#reconciler/source/index.ts";

const IDX_MAGIC = 0xff744f63;
const FANOUT_AT = 8;
const OIDS_AT = FANOUT_AT + 256 * 4;

/** Ids of the objects in `gitdir` that begin with these hex digits (at least 4): loose ones and those that an index (version 2) lists. */
export async function oidsWith(gitdir: string, prefix: string): Promise<readonly Oid[]> {
  const objects = join(gitdir, "objects");
  const loose = (await namesIn(join(objects, prefix.slice(0, 2)))).map((rest) => prefix.slice(0, 2) + rest);
  const found = new Set(loose.filter((oid) => oid.startsWith(prefix) && oid.length === 40));
  for (const name of await namesIn(join(objects, "pack"))) {
    if (!name.endsWith(".idx")) continue;
    for (const oid of inIndex(await readFile(join(objects, "pack", name)), prefix)) found.add(oid);
  }
  return [...found];
}

/** Pure; a file of another form holds none. The names are sorted, and a table says where those of a first byte begin. */
export function inIndex(idx: Buffer, prefix: string): readonly Oid[] {
  if (idx.length < OIDS_AT || idx.readUInt32BE(0) !== IDX_MAGIC || idx.readUInt32BE(4) !== 2) return [];
  const first = Number.parseInt(prefix.slice(0, 2), 16);
  const from = first === 0 ? 0 : idx.readUInt32BE(FANOUT_AT + (first - 1) * 4);
  const to = Math.min(idx.readUInt32BE(FANOUT_AT + first * 4), Math.floor((idx.length - OIDS_AT) / 20));
  const oids: Oid[] = [];
  for (let i = from; i < to; i++) {
    const oid = idx.toString("hex", OIDS_AT + i * 20, OIDS_AT + i * 20 + 20);
    if (oid.startsWith(prefix)) oids.push(oid);
  }
  return oids;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (err) {
    if (isErrno(err, "ENOENT")) return [];
    throw err;
  }
}
