import { createHmac, randomBytes } from "node:crypto";

/** Shorter pieces stand in too many innocent lines. */
const SHORTEST = 4;
const MASK = Buffer.from("***");
const LF = 0x0a;
const CR = 0x0d;

/** Finds values in text without keeping them: of each line of a value there is its length, a rolling hash to find candidates and a keyed MAC to
 *  be sure. Both keys are this object's own, so what is kept says nothing outside it. Values are looked for line by line, so no piece spans two
 *  lines. Encoded forms (base64, escaped) are not found. */
export class Redactor {
  readonly #key = randomBytes(32);
  readonly #base = (randomBytes(4).readUInt32LE() | 1) >>> 0;
  /** length → rolling hash → MACs */
  readonly #pieces = new Map<number, Map<number, Set<string>>>();

  /** Bytes that a line's end may hold back, so that a cut line hides no piece. */
  get longest(): number {
    return Math.max(0, ...this.#pieces.keys());
  }

  add(value: Uint8Array): void {
    for (let at = 0; at <= value.length; ) {
      const end = value.indexOf(LF, at) < 0 ? value.length : value.indexOf(LF, at);
      this.#addPiece(value.subarray(at, end > at && value[end - 1] === CR ? end - 1 : end));
      at = end + 1;
    }
  }

  /** `line` with every piece in it replaced by `***`. Gives `line` itself when there is none. */
  clean(line: Uint8Array): Uint8Array {
    return masked(line, merged(this.#hits(line)), line.length);
  }

  /** The first `least` bytes of `line` cleaned, or some more when a piece lies across that place; `used` says how many. */
  cleanFront(line: Uint8Array, least: number): { readonly bytes: Uint8Array; readonly used: number } {
    const hits = merged(this.#hits(line));
    const used = hits.find(([start, end]) => start < least && least < end)?.[1] ?? least;
    return {
      bytes: masked(
        line,
        hits.filter(([, end]) => end <= used),
        used,
      ),
      used,
    };
  }

  #addPiece(piece: Uint8Array): void {
    if (piece.length < SHORTEST) return;
    let hash = 0;
    for (const byte of piece) hash = this.#next(hash, byte);
    const byHash = this.#pieces.get(piece.length) ?? new Map<number, Set<string>>();
    this.#pieces.set(piece.length, byHash);
    byHash.set(hash, (byHash.get(hash) ?? new Set()).add(this.#mac(piece)));
  }

  #hits(line: Uint8Array): [number, number][] {
    const hits: [number, number][] = [];
    for (const [length, byHash] of this.#pieces) {
      const drop = this.#power(length);
      let hash = 0;
      for (let i = 0; i < line.length; i++) {
        hash = this.#next(hash, line[i] as number);
        if (i >= length) hash = (hash - Math.imul(line[i - length] as number, drop)) | 0;
        const macs = i >= length - 1 ? byHash.get(hash) : undefined;
        if (macs?.has(this.#mac(line.subarray(i - length + 1, i + 1))) === true) hits.push([i - length + 1, i + 1]);
      }
    }
    return hits;
  }

  #next(hash: number, byte: number): number {
    return (Math.imul(hash, this.#base) + byte) | 0;
  }

  /** base^length, modulo 2^32. */
  #power(length: number): number {
    let power = 1;
    for (let i = 0; i < length; i++) power = Math.imul(power, this.#base);
    return power;
  }

  #mac(piece: Uint8Array): string {
    return createHmac("sha256", this.#key).update(piece).digest("base64");
  }
}

function masked(line: Uint8Array, hits: readonly (readonly [number, number])[], size: number): Uint8Array {
  if (hits.length === 0) return line.subarray(0, size);
  const out: Uint8Array[] = [];
  let at = 0;
  for (const [start, end] of hits) {
    out.push(line.subarray(at, start), MASK);
    at = end;
  }
  out.push(line.subarray(at, size));
  return Buffer.concat(out);
}

/** Overlapping and touching ranges joined. */
function merged(ranges: [number, number][]): [number, number][] {
  const out: [number, number][] = [];
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else out.push([start, end]);
  }
  return out;
}
