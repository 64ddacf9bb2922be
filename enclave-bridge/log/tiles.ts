import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { faultPoint, makeFolder, readIfThere, syncFolder, writeDurable } from "#base/durable/index.ts";
import { encodeEntries, encodeTile, TILE_WIDTH as WIDTH, tilePath } from "#proof/tlog/index.ts";
import { corrupt } from "./checkpoint.ts";
import type { Edge, FullTile } from "./tree.ts";

/** `lazy` leaves it to the page cache: the journal already holds what is written. */
export type How = "lazy" | "durable";

/** Writes the last, partial bundle and level-0 tile and then the checkpoint that makes readers ask for them. */
export async function writePartials(dir: string, edge: Edge, entries: readonly Uint8Array[], note: Uint8Array, how: How): Promise<void> {
  const n = Math.floor(edge.size / WIDTH);
  if (entries.length > 0) {
    await put(dir, tilePath({ level: "entries", index: n, width: entries.length }), encodeEntries(entries), how);
    await put(dir, tilePath({ level: 0, index: n, width: entries.length }), encodeTile(edge.levels[0] ?? []), how);
  }
  if (how === "durable") return await writeDurable(join(dir, "checkpoint"), note);
  faultPoint("checkpoint write");
  writeFileSync(join(dir, "checkpoint.tmp"), note, { mode: 0o600 });
  faultPoint("checkpoint rename");
  renameSync(join(dir, "checkpoint.tmp"), join(dir, "checkpoint"));
  faultPoint("checkpoint shown");
}

/** Makes full bundles and tiles durable. `base` = index of the first of `entries`, both multiples of 256. */
export async function writeFullTiles(dir: string, full: readonly FullTile[], base: number, entries: readonly Uint8Array[]): Promise<void> {
  for (let at = 0; at < entries.length; at += WIDTH) {
    await put(
      dir,
      tilePath({ level: "entries", index: (base + at) / WIDTH, width: WIDTH }),
      encodeEntries(entries.slice(at, at + WIDTH)),
      "durable",
    );
  }
  for (const { level, n, hashes } of full) {
    await put(dir, tilePath({ level, index: n, width: WIDTH }), encodeTile(hashes), "durable");
  }
}

/** C2SP tlog-tiles: partial tiles may go once the full one is there. Only after the journal's base moved: the old base needs the old edge. */
export async function dropPartials(dir: string, full: readonly FullTile[]): Promise<void> {
  for (const { level, n } of full) {
    const paths =
      level === 0
        ? [tilePath({ level: 0, index: n, width: WIDTH }), tilePath({ level: "entries", index: n, width: WIDTH })]
        : [tilePath({ level, index: n, width: WIDTH })];
    for (const path of paths) {
      faultPoint(`drop ${path}.p`);
      await rm(join(dir, `${path}.p`), { recursive: true, force: true });
    }
  }
}

/** Removes what a crash or a full disk left half written. */
export async function dropTemps(dir: string): Promise<void> {
  for (const name of await readdir(dir))
    if (/^(journal|checkpoint)\.[0-9a-f]+\.tmp$/.test(name)) await rm(join(dir, name), { force: true });
}

/** Makes the partial tiles above level 0 durable; `edge` is at a multiple of 256, so level 0 has none. */
export async function writeEdge(dir: string, edge: Edge): Promise<void> {
  for (const [level, hashes] of edge.levels.entries()) {
    if (hashes.length > 0) await put(dir, edgeTile(level, edge.size, hashes.length), encodeTile(hashes), "durable");
  }
}

/** The right edge at `size` (a multiple of 256), read back from the tiles. Throws AUDIT_CORRUPT when one is missing or of another length. */
export async function readEdge(dir: string, size: number, origin: string): Promise<Edge> {
  const levels: Uint8Array[][] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / WIDTH)) {
    const width = count % WIDTH;
    const bytes = width === 0 ? new Uint8Array() : await readIfThere(join(dir, edgeTile(level, size, width)));
    if (bytes?.length !== width * 32) throw corrupt(origin, `tile ${edgeTile(level, size, width)} is missing or cut`);
    levels.push(Array.from({ length: width }, (_, i) => bytes.slice(i * 32, i * 32 + 32)));
  }
  return { size, levels };
}

export async function readCheckpointFile(dir: string): Promise<Uint8Array | null> {
  await makeFolder(dir);
  return await readIfThere(join(dir, "checkpoint"));
}

function edgeTile(level: number, size: number, width: number): string {
  return tilePath({ level, index: Math.floor(size / WIDTH ** (level + 1)), width });
}

async function put(dir: string, path: string, bytes: Uint8Array, how: How): Promise<void> {
  const file = join(dir, path);
  if (how === "lazy") {
    faultPoint(`tile ${path}`);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, bytes, { mode: 0o600 }); // torn is harmless: no checkpoint asks for it yet
    return;
  }
  await makeFolder(dirname(file));
  await writeDurable(file, bytes);
  for (let folder = dirname(dirname(file)); folder.length >= dir.length; folder = dirname(folder)) await syncFolder(folder);
}
