import { readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { inflateSync } from "node:zlib";
import { isErrno } from "#base/durable/index.ts";
import { PACK_LIMITS } from "../pack/limits.ts";
import { type Found, newPackCache, Pack } from "./pack.ts";

const MAX_ALTERNATES = 5; // as deep as git goes
const LOOSE_HEAD = /^(commit|tree|blob|tag) (0|[1-9]\d{0,15})\0/;

/** The objects of one git directory, ours or anybody's: packs, loose files, and those of its alternates. Nothing is hashed here. Packs that appear or go
 *  while we run (a fetch, `git repack`) are noticed when an object isn't where it was. */
export class ObjectFiles {
  readonly #folders: readonly string[];
  readonly #packs = new Map<string, Pack>(); // by path
  readonly #cache = newPackCache();

  constructor(gitdir: string) {
    this.#folders = foldersOf(join(gitdir, "objects"), 0);
    this.#rescan();
  }

  get packCount(): number {
    return this.#packs.size;
  }

  get packBytes(): number {
    return [...this.#packs.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Type and content of `oid` as the files have it; null when none holds it. Throws SOURCE_CORRUPT for what can't be read. */
  read(oid: string): Found | null {
    try {
      const found = this.#look(oid);
      if (found !== null) return found;
    } catch (err) {
      if (!isErrno(err, "ENOENT")) throw err; // a pack went away under us: its objects are in another one
    }
    return this.#rescan() ? this.#look(oid) : null;
  }

  /** Whether a file claims to hold `oid`. */
  has(oid: string): boolean {
    return this.#claims(oid) || (this.#rescan() && this.#claims(oid));
  }

  #claims(oid: string): boolean {
    for (const pack of this.#packs.values()) if (pack.has(oid)) return true;
    return this.#folders.some((folder) => statSync(loosePath(folder, oid), { throwIfNoEntry: false }) !== undefined);
  }

  #look(oid: string): Found | null {
    for (const pack of this.#packs.values()) {
      const found = pack.read(oid, (base) => this.#look(base));
      if (found !== null) return found;
    }
    for (const folder of this.#folders) {
      const found = readLoose(loosePath(folder, oid), oid);
      if (found !== null) return found;
    }
    return null;
  }

  /** Looks what packs there are; whether anything changed. */
  #rescan(): boolean {
    const before = [...this.#packs.keys()].join();
    const there = this.#folders.flatMap((folder) => packsIn(join(folder, "pack")));
    for (const path of this.#packs.keys()) if (!there.includes(path)) this.#packs.delete(path);
    for (const path of there) {
      if (this.#packs.has(path)) continue;
      const pack = Pack.open(path, this.#cache);
      if (pack !== null) this.#packs.set(path, pack);
    }
    return [...this.#packs.keys()].join() !== before;
  }
}

/** Paths without their ending. A pack counts from the moment it has an index. */
function packsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith("pack-") && name.endsWith(".idx"))
      .map((name) => join(folder, name.slice(0, -".idx".length)));
  } catch (err) {
    if (isErrno(err, "ENOENT")) return [];
    throw err;
  }
}

/** This object folder and those it borrows from (objects/info/alternates, gitrepository-layout(5)). */
function foldersOf(folder: string, depth: number): readonly string[] {
  if (depth > MAX_ALTERNATES) return [];
  let text: string;
  try {
    text = readFileSync(join(folder, "info/alternates"), "utf8");
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ENOTDIR")) return [folder];
    throw err;
  }
  const others = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return [folder, ...others.flatMap((line) => foldersOf(isAbsolute(line) ? line : join(folder, line), depth + 1))];
}

function loosePath(folder: string, oid: string): string {
  return join(folder, oid.slice(0, 2), oid.slice(2));
}

/** Null where there is no such file, or what it holds is no object: the caller says what that means. */
function readLoose(path: string, oid: string): Found | null {
  let packed: Buffer;
  try {
    packed = readFileSync(path);
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ENOTDIR")) return null;
    throw err;
  }
  const bytes = inflated(packed);
  const head = bytes === null ? null : LOOSE_HEAD.exec(bytes.toString("latin1", 0, 32));
  if (bytes === null || head === null) return { at: "broken", why: `the file of object ${oid} is not one of git's` };
  const content = bytes.subarray(head[0].length);
  if (content.length !== Number(head[2])) return { at: "broken", why: `the file of object ${oid} is cut` };
  return { at: "found", type: head[1] as "commit", content };
}

function inflated(packed: Buffer): Buffer | null {
  try {
    return inflateSync(packed, { maxOutputLength: PACK_LIMITS.objectBytes + 64 });
  } catch {
    return null; // whatever is wrong with it, it is no object we can read
  }
}
