/** What is known of each object of a pack while it is indexed, by its number in the pack. */
export class PackTable {
  readonly offsets: number[] = [];
  readonly crcs: number[] = [];
  /** 1-4, or 0 while a delta is not resolved. */
  readonly types: number[] = [];
  readonly oids: string[] = [];
  /** For a delta: the number of its base in this pack, or the base's id. */
  readonly bases: (number | string | null)[] = [];

  get size(): number {
    return this.offsets.length;
  }

  /** Appends what is known by now and gives back its number. */
  add(offset: number, crc: number, type: number, oid: string, base: number | string | null): number {
    this.offsets.push(offset);
    this.crcs.push(crc);
    this.types.push(type);
    this.oids.push(oid);
    this.bases.push(base);
    return this.offsets.length - 1;
  }

  /** The entry that starts at `offset`, or -1. */
  at(offset: number): number {
    let low = 0;
    let high = this.offsets.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.offsets[middle] ?? 0;
      if (found === offset) return middle;
      if (found < offset) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
