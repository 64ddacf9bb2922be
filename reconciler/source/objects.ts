import { MooringError } from "#base/errors/index.ts";
import { hashObject } from "./hash.ts";
import { Lru } from "./pack/lru.ts";
import { Pace } from "./pack/pace.ts";
import { type CommitParts, parseCommit, parseTree, type TreeItem } from "./parse.ts";
import { ObjectFiles } from "./store/object-files.ts";
import type { Found } from "./store/pack.ts";

export { hashObject } from "./hash.ts";

/** A git object id: 40 lower-case hex digits. */
export type Oid = string;

export type ObjectType = "commit" | "tree" | "blob";

export const MAX_BLOB_BYTES = 1 << 20; // the largest file a fleet repo may hold; a sealed secret is far below
const MAX_CACHED_BYTES = 16 << 20;
const OID = /^[0-9a-f]{40}$/;

/** Where older history comes from, for a copy that holds only the newest. */
export type Older = {
  /** Brings some more; false when there is none. */
  more(): Promise<boolean>;
};

/** Reads objects of one git directory by id and trusts nothing on disk: each is hashed again and must give its id, else SOURCE_CORRUPT.
 *  A commit that isn't there, and is not in the older history either, is SOURCE_OBJECT_MISSING; a tree or blob that isn't, was named by an object we
 *  hold, so that is SOURCE_CORRUPT too. What was read lately is kept (it can't change). */
export class Objects {
  readonly #gitdir: string;
  readonly #older: Older | null;
  readonly #kept = new Lru<Oid, { readonly type: string; readonly bytes: Buffer }>(MAX_CACHED_BYTES);
  readonly #pace = new Pace(); // files are read at once, so reading thousands would hold up everything else
  #opened: ObjectFiles | null = null;

  constructor(gitdir: string, older: Older | null = null) {
    this.#gitdir = gitdir;
    this.#older = older;
  }

  /** The files behind, nothing hashed. Throws SOURCE_CORRUPT when they can't be opened. */
  get files(): ObjectFiles {
    this.#opened ??= new ObjectFiles(this.#gitdir);
    return this.#opened;
  }

  async commit(oid: Oid): Promise<CommitParts> {
    return parseCommit(oid, await this.raw(oid, "commit"));
  }

  async tree(oid: Oid): Promise<readonly TreeItem[]> {
    return parseTree(oid, await this.raw(oid, "tree"));
  }

  async blob(oid: Oid): Promise<Uint8Array> {
    return this.raw(oid, "blob");
  }

  /** Whether this copy holds `oid` now, without asking for older history. */
  has(oid: Oid): boolean {
    return this.#kept.get(oid) !== undefined || this.files.has(oid);
  }

  /** Asks for older history; false when all there is is here. */
  async more(): Promise<boolean> {
    return this.#older !== null && (await this.#older.more());
  }

  /** Content of object `oid`, without git's header. Not to be changed by the caller. */
  async raw(oid: Oid, type: ObjectType): Promise<Uint8Array> {
    if (!OID.test(oid))
      throw new MooringError("SOURCE_OBJECT_MISSING", `object ${JSON.stringify(oid.slice(0, 50))}`, { why: "not a git object id" });
    await this.#pace.step();
    let found = this.#kept.get(oid) ?? this.#load(oid);
    if (type === "commit") while (found === null && (await this.more())) found = this.#load(oid);
    if (found === null) {
      if (type !== "commit") throw corrupt(oid, "it is named by another object, and is not there");
      throw new MooringError("SOURCE_OBJECT_MISSING", `object ${oid}`, { why: "this copy of the repository doesn't hold it" });
    }
    if (found.type !== type) throw corrupt(oid, `it is a ${found.type}, not a ${type}`);
    if (type === "blob" && found.bytes.length > MAX_BLOB_BYTES) throw tooLarge(oid, `${found.bytes.length} bytes`);
    return found.bytes;
  }

  /** As `raw`, at once and of any type: for what a pack that arrives builds upon. Null when it is not there. */
  lookup(oid: Oid): { readonly type: string; readonly bytes: Buffer } | null {
    return this.#kept.get(oid) ?? this.#load(oid);
  }

  #load(oid: Oid): { readonly type: string; readonly bytes: Buffer } | null {
    const found = this.#read(oid);
    if (found === null) return null;
    if (found.at === "broken") throw corrupt(oid, found.why);
    if (found.at === "large") throw tooLarge(oid, "far more bytes");
    if (hashObject(found.type, found.content) !== oid) throw corrupt(oid, "its content doesn't hash to its id");
    const item = { type: found.type, bytes: found.content };
    this.#kept.set(oid, item);
    return item;
  }

  #read(oid: Oid): Found | null {
    try {
      return this.files.read(oid);
    } catch (cause) {
      if (cause instanceof MooringError) throw cause;
      throw corrupt(oid, "it can't be read", cause);
    }
  }
}

export function corrupt(oid: Oid, why: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_CORRUPT", `object ${oid}`, { why, cause });
}

function tooLarge(oid: Oid, size: string): MooringError {
  return new MooringError("SOURCE_TOO_LARGE", `blob ${oid}`, { why: `${size}; a file may have ${MAX_BLOB_BYTES}` });
}
