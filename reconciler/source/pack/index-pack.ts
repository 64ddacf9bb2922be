import { crc32 } from "node:zlib";
import { hashObject } from "../hash.ts";
import type { FileBytes } from "./bytes.ts";
import { applyDelta } from "./delta.ts";
import { PACK_TYPES } from "./entry.ts";
import { type PackLimits, refusedPack, tooLarge } from "./limits.ts";
import { Lru } from "./lru.ts";
import { Pace } from "./pace.ts";
import { type Unpacked, unpackAt } from "./packed.ts";
import { PackTable } from "./table.ts";

export const HEADER = 12; // "PACK", version, number of objects
export const TRAILER = 20; // SHA-1 of all before it

/** An object that a thin pack builds upon and that we have; null where we don't. */
export type Lookup = (oid: string) => { readonly type: 1 | 2 | 3 | 4; readonly content: Buffer } | null;

export type IndexedPack = {
  readonly table: PackTable;
  /** Objects from outside the pack that deltas in it need. */
  readonly borrowed: readonly string[];
};

const CACHED_BYTES = 48 << 20;

/** Unpacks and hashes every object of a pack whose bytes fit its trailer already. Whatever does not add up is SOURCE_PACK_REFUSED: an unknown type, a size
 *  that is not what was said, bytes between or behind the entries, a delta without base, a ring of deltas, an object twice. What costs more than
 *  `limits` is SOURCE_TOO_LARGE. Memory is bounded whatever the pack says; the event loop is let in every few milliseconds. */
export async function indexPack(file: FileBytes, lookup: Lookup, limits: PackLimits, signal: AbortSignal): Promise<IndexedPack> {
  const indexer = new Indexer(file, lookup, limits, signal);
  await indexer.scan();
  await indexer.resolve();
  return indexer.result();
}

type Content = { readonly bytes: Buffer };

class Indexer {
  readonly #file: FileBytes;
  readonly #lookup: Lookup;
  readonly #limits: PackLimits;
  readonly #pace: Pace;
  readonly #table = new PackTable();
  readonly #numbers = new Map<string, number>(); // by id, of what is resolved
  readonly #waiting = new Map<number | string, number[]>(); // deltas by their base
  readonly #depths = new Map<number, number>();
  readonly #kept = new Lru<number, Content>(CACHED_BYTES);
  readonly #borrowed = new Set<string>();
  #work = 0;

  constructor(file: FileBytes, lookup: Lookup, limits: PackLimits, signal: AbortSignal) {
    this.#file = file;
    this.#lookup = lookup;
    this.#limits = limits;
    this.#pace = new Pace(signal);
  }

  result(): IndexedPack {
    return { table: this.#table, borrowed: [...this.#borrowed] };
  }

  /** First pass, in the order of the bytes: whole objects get their ids, deltas are only found. */
  async scan(): Promise<void> {
    const count = countOf(this.#file, this.#limits);
    let offset = HEADER;
    for (let number = 0; number < count; number++) {
      const entry = this.#unpack(offset);
      const crc = crcOf(this.#file, offset, entry.end);
      if (entry.head.kind === "whole") this.#take(this.#table.add(offset, crc, entry.head.type, "", null), entry.head.type, entry.content);
      else this.#wait(this.#table.add(offset, crc, 0, "", this.#baseOf(entry, offset)));
      offset = entry.end;
      await this.#pace.step();
    }
    if (offset !== this.#file.size - TRAILER) throw refusedPack("bytes behind its last object");
  }

  /** Second pass: deltas upon what is known by now, until nothing is left. */
  async resolve(): Promise<void> {
    for (let number = 0; number < this.#table.size; number++) {
      if (this.#table.types[number] !== 0 && this.#table.bases[number] === null) await this.#resolveUpon(number);
    }
    for (const base of this.#waiting.keys()) {
      if (typeof base !== "string" || this.#numbers.has(base)) continue;
      const found = this.#lookup(base);
      if (found === null) continue;
      this.#borrowed.add(base);
      for (const child of this.#waiting.get(base) ?? []) {
        this.#settle(child, found.type, found.content, 0);
        await this.#resolveUpon(child);
      }
      this.#waiting.delete(base);
    }
    if (this.#waiting.size > 0) throw refusedPack("a delta whose base is neither in it nor here");
    for (const oid of this.#borrowed) if (this.#numbers.has(oid)) this.#giveBack(oid);
  }

  /** What we lent came with the pack as well. It stays in the pack, unless it was made with what we lent: then the pack alone would hold a ring. */
  #giveBack(oid: string): void {
    this.#borrowed.delete(oid);
    let steps = 0;
    for (let at: number | string | null = oid; at !== null; ) {
      const entry: number = typeof at === "string" ? (this.#numbers.get(at) ?? -1) : at;
      at = this.#table.bases[entry] ?? null;
      if (steps++ > this.#table.size) throw refusedPack("deltas that stand upon each other");
    }
  }

  async #resolveUpon(root: number): Promise<void> {
    const stack = [root];
    for (let base = stack.pop(); base !== undefined; base = stack.pop()) {
      for (const key of [base, this.#table.oids[base] ?? ""]) {
        const children = this.#waiting.get(key);
        if (children === undefined) continue;
        this.#waiting.delete(key);
        for (const child of children) {
          this.#settle(child, this.#table.types[base] ?? 0, this.#contentOf(base), this.#depths.get(base) ?? 0);
          stack.push(child);
          await this.#pace.step();
        }
      }
    }
  }

  /** Gives delta `number` its content, type and id. */
  #settle(number: number, type: number, base: Buffer, depth: number): void {
    if (depth >= this.#limits.depth) throw tooLarge(`deltas ${depth + 1} deep`);
    this.#depths.set(number, depth + 1);
    this.#take(number, type, this.#build(number, base));
  }

  #take(number: number, type: number, content: Buffer): void {
    const name = PACK_TYPES[type as 1 | 2 | 3 | 4];
    const oid = hashObject(name, content);
    if (this.#numbers.has(oid)) throw refusedPack("one object twice");
    this.#numbers.set(oid, number);
    this.#table.types[number] = type;
    this.#table.oids[number] = oid;
    this.#kept.set(number, { bytes: content });
  }

  /** The content of a resolved entry, put together again when it is no longer kept. */
  #contentOf(number: number): Buffer {
    const chain: number[] = [];
    let content: Buffer | undefined;
    for (let at: number | string = number; content === undefined; ) {
      if (typeof at === "string" && !this.#numbers.has(at)) {
        content = this.#lookup(at)?.content;
        if (content === undefined) throw refusedPack("a delta whose base is neither in it nor here");
        break;
      }
      const entry: number = typeof at === "string" ? (this.#numbers.get(at) ?? -1) : at;
      content = this.#kept.get(entry)?.bytes;
      if (content !== undefined) break;
      const base: number | string | null = this.#table.bases[entry] ?? null;
      if (base === null) content = this.#unpack(this.#table.offsets[entry] ?? 0).content;
      else {
        chain.push(entry);
        at = base;
      }
    }
    for (const entry of chain.toReversed()) {
      content = this.#build(entry, content);
      this.#kept.set(entry, { bytes: content });
    }
    return content;
  }

  #build(number: number, base: Buffer): Buffer {
    const delta = this.#unpack(this.#table.offsets[number] ?? 0).content;
    const content = applyDelta(base, delta, this.#limits.objectBytes);
    if (content === null) throw refusedPack("a delta that does not fit its base, or makes an object that is too large");
    this.#spend(content.length);
    return content;
  }

  #unpack(offset: number): Unpacked {
    const entry = unpackAt(this.#file, offset, this.#file.size - TRAILER, this.#limits.objectBytes);
    if (entry === "too large") throw tooLarge(`an object of more than ${this.#limits.objectBytes} bytes`);
    if (typeof entry === "string") throw refusedPack(entry === "cut" ? "it ends inside an object" : "bytes that are no object of a pack");
    this.#spend(entry.content.length + 64); // an empty object is not free either
    return entry;
  }

  #spend(bytes: number): void {
    this.#work += bytes;
    if (this.#work > this.#limits.workBytes) throw tooLarge(`it unpacks to more than ${this.#limits.workBytes} bytes`);
  }

  #baseOf({ head }: Unpacked, offset: number): number | string {
    if (head.kind === "ref") return head.base;
    const base = head.kind === "offset" ? this.#table.at(offset - head.back) : -1;
    if (base < 0) throw refusedPack("a delta upon something that is no object");
    return base;
  }

  #wait(number: number): void {
    const base = this.#table.bases[number] ?? "";
    const list = this.#waiting.get(base);
    if (list === undefined) this.#waiting.set(base, [number]);
    else list.push(number);
  }
}

/** The number of objects that a pack's head names. */
function countOf(file: FileBytes, limits: PackLimits): number {
  const head = file.at(0, HEADER);
  if (file.size < HEADER + TRAILER || head.toString("latin1", 0, 4) !== "PACK") throw refusedPack("it is no pack");
  const version = head.readUInt32BE(4);
  if (version !== 2) throw refusedPack("a version that is not 2");
  const count = head.readUInt32BE(8);
  if (count > limits.objects) throw tooLarge(`it says it holds ${count} objects`);
  return count;
}

function crcOf(file: FileBytes, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; ) {
    const bytes = file.at(at, Math.min(256 << 10, end - at));
    if (bytes.length === 0) break;
    crc = crc32(bytes, crc);
    at += bytes.length;
  }
  return crc;
}
