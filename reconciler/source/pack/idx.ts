import { hash } from "node:crypto";
import type { PackTable } from "./table.ts";

const MAGIC = 0xff744f63;
const FANOUT_AT = 8;
const NAMES_AT = FANOUT_AT + 256 * 4;

/** The index of a pack in git's format, version 2 (gitformat-pack(5)). Pure. */
export function writeIdx(table: PackTable, packSum: Uint8Array): Uint8Array {
  const count = table.size;
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => ((table.oids[a] ?? "") < (table.oids[b] ?? "") ? -1 : 1));
  const out = Buffer.alloc(NAMES_AT + count * 28 + 40);
  out.writeUInt32BE(MAGIC, 0);
  out.writeUInt32BE(2, 4);
  const perFirst = new Uint32Array(256);
  order.forEach((entry, i) => {
    const oid = table.oids[entry] ?? "";
    perFirst[Number.parseInt(oid.slice(0, 2), 16)]! += 1;
    out.write(oid, NAMES_AT + i * 20, "hex");
    out.writeUInt32BE(table.crcs[entry] ?? 0, NAMES_AT + count * 20 + i * 4);
    out.writeUInt32BE(table.offsets[entry] ?? 0, NAMES_AT + count * 24 + i * 4); // our packs are below 2 GiB
  });
  let sum = 0;
  for (let first = 0; first < 256; first++) out.writeUInt32BE((sum += perFirst[first] ?? 0), FANOUT_AT + first * 4);
  out.set(packSum, out.length - 40);
  out.write(hash("sha1", out.subarray(0, out.length - 20), "hex"), out.length - 20, "hex");
  return out;
}

/** An index that was read: which objects a pack holds and where. */
export class Idx {
  readonly size: number;
  readonly #bytes: Buffer;
  readonly #ends: ReadonlyMap<number, number>;

  private constructor(bytes: Buffer, size: number, packSize: number) {
    this.#bytes = bytes;
    this.size = size;
    const offsets = Float64Array.from({ length: size }, (_, i) => this.#offsetAt(i)).sort();
    this.#ends = new Map(Array.from(offsets, (offset, i) => [offset, offsets[i + 1] ?? packSize - 20]));
  }

  /** Null for bytes that are not a whole index of version 2: its own checksum covers every byte. */
  static read(bytes: Buffer, packSize: number): Idx | null {
    if (bytes.length < NAMES_AT + 40 || bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt32BE(4) !== 2) return null;
    const size = bytes.readUInt32BE(NAMES_AT - 4);
    if (bytes.length < NAMES_AT + size * 28 + 40 || (bytes.length - NAMES_AT - size * 28 - 40) % 8 !== 0) return null;
    if (hash("sha1", bytes.subarray(0, bytes.length - 20), "hex") !== bytes.toString("hex", bytes.length - 20)) return null;
    return new Idx(bytes, size, packSize);
  }

  /** Where object `oid` starts, or -1. */
  find(oid: string): number {
    const name = Buffer.from(oid, "hex");
    const first = name[0] ?? 0;
    let low = first === 0 ? 0 : this.#bytes.readUInt32BE(FANOUT_AT + (first - 1) * 4);
    let high = Math.min(this.size, this.#bytes.readUInt32BE(FANOUT_AT + first * 4)) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = NAMES_AT + middle * 20;
      const order = name.compare(this.#bytes, at, at + 20);
      if (order === 0) return this.#offsetAt(middle);
      if (order > 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Where the entry that starts at `offset` ends at the latest; undefined where none starts. */
  endOf(offset: number): number | undefined {
    return this.#ends.get(offset);
  }

  #offsetAt(index: number): number {
    const small = this.#bytes.readUInt32BE(NAMES_AT + this.size * 24 + index * 4);
    if (small < 0x80000000) return small;
    const at = NAMES_AT + this.size * 28 + (small - 0x80000000) * 8;
    return at + 8 > this.#bytes.length - 40 ? -1 : Number(this.#bytes.readBigUInt64BE(at));
  }
}
