import { readFileSync, statSync } from "node:fs";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { FileBytes, newWindows, type Windows } from "../pack/bytes.ts";
import { PACK_TYPES, type PackedType } from "../pack/entry.ts";
import { Idx } from "../pack/idx.ts";
import { PACK_LIMITS } from "../pack/limits.ts";
import { Lru } from "../pack/lru.ts";
import { applyAll, unpackAt } from "../pack/packed.ts";

export type Found =
  | { readonly at: "found"; readonly type: PackedType; readonly content: Buffer }
  /** There are bytes under this id, and they are no object. */
  | { readonly at: "broken"; readonly why: string }
  | { readonly at: "large" };

/** What the packs of one directory keep in memory, together. */
export type PackCache = {
  readonly windows: Windows;
  readonly contents: Lru<string, { readonly bytes: Buffer; readonly type: PackedType }>;
};

const CONTENT_BYTES = 16 << 20;

export function newPackCache(): PackCache {
  return { windows: newWindows(), contents: new Lru(CONTENT_BYTES) };
}

/** One pack with its index. */
export class Pack {
  readonly size: number;
  readonly #file: FileBytes;
  readonly #idx: Idx;
  readonly #kept: PackCache["contents"];

  private constructor(file: FileBytes, idx: Idx, kept: PackCache["contents"]) {
    this.#file = file;
    this.#idx = idx;
    this.#kept = kept;
    this.size = file.size;
  }

  /** Opens `path`.pack and .idx; null when they went away meanwhile. SOURCE_CORRUPT for an index whose checksum is wrong. */
  static open(path: string, cache: PackCache): Pack | null {
    try {
      const { size } = statSync(`${path}.pack`);
      const idx = Idx.read(readFileSync(`${path}.idx`), size);
      if (idx === null)
        throw new MooringError("SOURCE_CORRUPT", `${path}.idx`, { why: "the index of a pack is not whole, or not of version 2" });
      return new Pack(new FileBytes(`${path}.pack`, size, cache.windows), idx, cache.contents);
    } catch (err) {
      if (isErrno(err, "ENOENT")) return null;
      throw err;
    }
  }

  has(oid: string): boolean {
    return this.#idx.find(oid) >= 0;
  }

  /** Null when this pack doesn't list `oid`. `elsewhere` is asked for bases that only another pack has. Throws ENOENT when the file is gone. */
  read(oid: string, elsewhere: (base: string) => Found | null): Found | null {
    const start = this.#idx.find(oid);
    if (start < 0) return null;
    const broken: Found = { at: "broken", why: `its bytes in ${this.#file.path} are not an object` };
    const deltas: Buffer[] = [];
    for (let offset = start; deltas.length <= PACK_LIMITS.depth; ) {
      const kept = this.#kept.get(`${offset} ${this.#file.path}`);
      if (kept !== undefined) return this.#finish(start, kept.type, kept.bytes, deltas) ?? broken;
      const stop = this.#idx.endOf(offset);
      const entry = stop === undefined ? "malformed" : unpackAt(this.#file, offset, stop, PACK_LIMITS.objectBytes);
      if (entry === "too large") return { at: "large" };
      if (typeof entry === "string") return broken;
      const { head, content } = entry;
      if (head.kind === "whole") return this.#finish(start, PACK_TYPES[head.type], content, deltas) ?? broken;
      deltas.push(content);
      const next = head.kind === "offset" ? offset - head.back : this.#idx.find(head.base);
      if (next < 0 && head.kind === "ref") {
        const found = elsewhere(head.base);
        return found?.at === "found" ? (this.#finish(start, found.type, found.content, deltas) ?? broken) : broken;
      }
      offset = next;
    }
    return broken;
  }

  #finish(offset: number, type: PackedType, base: Buffer, deltas: readonly Buffer[]): Found | null {
    const content = applyAll(base, deltas, PACK_LIMITS.objectBytes);
    if (content === null) return null;
    this.#kept.set(`${offset} ${this.#file.path}`, { bytes: content, type });
    return { at: "found", type, content };
  }
}
