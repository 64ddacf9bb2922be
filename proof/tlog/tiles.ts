import { MooringError } from "#base/errors/index.ts";
import { type Hash, merkleRootOf } from "./merkle.ts";

/** Hashes in a full tile and entries in a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;

/** Where one tile or entry bundle of a log stands; `width` < 256 = partial, 256 = full. `level` "entries" = the bundle of the entries. */
export type Tile = { readonly level: number | "entries"; readonly index: number; readonly width: number };

/** Path of a tile below the log's folder, like `tile/0/x001/067.p/5`. */
export function tilePath(tile: Tile): string {
  const partial = tile.width === TILE_WIDTH ? "" : `.p/${tile.width}`;
  return `tile/${tile.level}/${groups(tile.index)}${partial}`;
}

/** The tile a path names; throws TLOG_MALFORMED for any other spelling. */
export function parseTilePath(path: string): Tile {
  const match = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (match === null) throw malformed("a path that names no tile");
  const level = match[1] === "entries" ? "entries" : Number(match[1]);
  const tile = { level, index: Number(match[2]!.replaceAll(/[x/]/g, "")), width: Number(match[3] ?? TILE_WIDTH) } as const;
  if ((level !== "entries" && level > 63) || !Number.isSafeInteger(tile.index) || tilePath(tile) !== path)
    throw malformed("a path that names no tile");
  return tile;
}

/** All tiles a log of `size` entries has, hash levels first, lower levels first. With `from`, only those that a log of `from` entries lacks. */
export function tilesOf(size: number, from = 0): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, n = size, old = from; n > 0; level++, n = Math.floor(n / TILE_WIDTH), old = Math.floor(old / TILE_WIDTH)) {
    tiles.push(...row(level, n, old));
  }
  return [...tiles, ...row("entries", size, from)];
}

function row(level: Tile["level"], n: number, old: number): Tile[] {
  const tiles: Tile[] = [];
  if (n === old) return tiles;
  for (let index = Math.floor(old / TILE_WIDTH); index * TILE_WIDTH < n; index++) {
    tiles.push({ level, index, width: Math.min(TILE_WIDTH, n - index * TILE_WIDTH) });
  }
  return tiles;
}

/** The hash a full tile contributes to the level above it: the root over its 256 hashes. */
export function tileRoot(hashes: readonly Hash[]): Hash {
  return merkleRootOf(hashes);
}

/** Bytes of a hash tile: its hashes one after the other. */
export function encodeTile(hashes: readonly Hash[]): Uint8Array {
  return new Uint8Array(Buffer.concat(hashes));
}

/** Hashes of a tile of exactly `width`; throws TLOG_MALFORMED for another length. */
export function decodeTile(bytes: Uint8Array, width: number): Hash[] {
  if (bytes.length !== width * 32) throw malformed(`a tile of ${bytes.length} bytes where ${width} hashes belong`);
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
}

/** An entry bundle: each entry after its length as u16 big-endian. An entry beyond 65,535 bytes throws TLOG_MALFORMED. */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > 0xffff) throw malformed("an entry beyond 65,535 bytes");
    parts.push(new Uint8Array([entry.length >>> 8, entry.length & 0xff]), entry);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** The entries of a bundle, all bytes of it; throws TLOG_MALFORMED when a length runs past the end. Entries are views, not copies. */
export function decodeEntries(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = at + 2 <= bytes.length ? bytes[at]! * 256 + bytes[at + 1]! : Number.POSITIVE_INFINITY;
    if (at + 2 + length > bytes.length) throw malformed("an entry bundle that is cut");
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

function groups(index: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw malformed("a tile index that is no whole number");
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const parts = padded.match(/\d{3}/g) ?? [];
  return parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join("/");
}

function malformed(what: string): MooringError {
  return new MooringError("TLOG_MALFORMED", `transparency log: ${what}`);
}
