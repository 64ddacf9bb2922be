import { createHash } from "node:crypto";
import fs from "node:fs";
import { Errors, readObject } from "isomorphic-git";
import { MooringError } from "#base/errors/index.ts";
import { type CommitParts, parseCommit, parseTree, type TreeItem } from "./parse.ts";

/** A git object id: 40 lower-case hex digits. */
export type Oid = string;

export type ObjectType = "commit" | "tree" | "blob";

export const MAX_BLOB_BYTES = 1 << 20; // the largest file a fleet repo may hold; a sealed secret is far below
const MAX_CACHED_BYTES = 16 << 20;

/** Reads objects of one git directory by id and trusts nothing on disk: each is hashed again and must give its id, else SOURCE_CORRUPT.
 *  A commit that isn't there is SOURCE_OBJECT_MISSING; a tree or
 *  blob that isn't, was named by an object we hold, so that is SOURCE_CORRUPT too. Parsed commits and trees and small blobs are kept (they can't change). */
export class Objects {
  readonly #gitdir: string;
  readonly #library: object = {}; // isomorphic-git keeps pack indexes in it
  readonly #kept = new Map<Oid, { readonly type: string; readonly bytes: Uint8Array }>();
  #keptBytes = 0;

  constructor(gitdir: string) {
    this.#gitdir = gitdir;
  }

  /** isomorphic-git's own cache for this directory, for calls made beside this class. */
  get cache(): object {
    return this.#library;
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

  /** Content of object `oid`, without git's header. */
  async raw(oid: Oid, type: ObjectType): Promise<Uint8Array> {
    if (!/^[0-9a-f]{40}$/.test(oid))
      throw new MooringError("SOURCE_OBJECT_MISSING", `object ${JSON.stringify(oid.slice(0, 50))}`, { why: "not a git object id" });
    const found = this.#kept.get(oid) ?? (await this.#load(oid, type));
    this.#keep(oid, found);
    if (found.type !== type) throw corrupt(oid, `it is a ${found.type}, not a ${type}`);
    if (type === "blob" && found.bytes.length > MAX_BLOB_BYTES) {
      throw new MooringError("SOURCE_TOO_LARGE", `blob ${oid}`, { why: `${found.bytes.length} bytes; a file may have ${MAX_BLOB_BYTES}` });
    }
    return found.bytes;
  }

  async #load(oid: Oid, type: ObjectType): Promise<{ type: string; bytes: Uint8Array }> {
    let result: Awaited<ReturnType<typeof readObject>>;
    try {
      result = await readObject({ fs, gitdir: this.#gitdir, dir: this.#gitdir, oid, format: "content", cache: this.#library });
    } catch (cause) {
      if (type === "commit" && cause instanceof Errors.NotFoundError)
        throw new MooringError("SOURCE_OBJECT_MISSING", `object ${oid}`, { why: "this copy of the repository doesn't hold it", cause });
      throw corrupt(oid, "it can't be read", cause);
    }
    const bytes = result.object as Uint8Array;
    const found = result.type;
    if (hashObject(found, bytes) !== oid) throw corrupt(oid, "its content doesn't hash to its id");
    return { type: found, bytes };
  }

  #keep(oid: Oid, found: { readonly type: string; readonly bytes: Uint8Array }): void {
    if (this.#kept.delete(oid)) this.#keptBytes -= found.bytes.length; // to the young end
    this.#kept.set(oid, found);
    this.#keptBytes += found.bytes.length;
    for (const [old, { bytes }] of this.#kept) {
      if (this.#keptBytes <= MAX_CACHED_BYTES) return;
      this.#kept.delete(old);
      this.#keptBytes -= bytes.length;
    }
  }
}

/** The id git gives to an object: SHA-1 of `<type> <length>\0` and the content. Pure. */
export function hashObject(type: string, bytes: Uint8Array): Oid {
  return createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
}

export function corrupt(oid: Oid, why: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_CORRUPT", `object ${oid}`, { why, cause });
}
