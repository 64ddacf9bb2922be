import { createHash, hash } from "node:crypto";

/** A SHA-256 value of 32 bytes: a leaf, a node or a root. */
export type Hash = Uint8Array;

const LEAF = new Uint8Array([0]);

/** Leaf hash of RFC 6962 §2.1: SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array | string): Hash {
  if (typeof entry === "string") return hash("sha256", `\u0000${entry}`, "buffer");
  return createHash("sha256").update(LEAF).update(entry).digest();
}

/** Node hash of RFC 6962 §2.1: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  const bytes = new Uint8Array(65);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return hash("sha256", bytes, "buffer");
}

/** Root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Hash {
  return createHash("sha256").digest();
}

/** An RFC 6962 tree kept level by level, so that a changed or added leaf costs log2(size) hashes. A node without a right sibling is carried
 *  up as it is, which is exactly RFC 6962's split at the largest power of two. Hashes are kept, not copied: do not change them. */
export class MerkleTree {
  #levels: Hash[][] = [[]];

  constructor(leaves: readonly Hash[] = []) {
    this.#levels = [[...leaves]];
    for (let k = 0; this.#levels[k]!.length > 1; k++) this.#levels.push(parentsOf(this.#levels[k]!));
  }

  /** A tree that can be changed without changing this one; hashes are shared. */
  copy(): MerkleTree {
    const copy = new MerkleTree();
    copy.#levels = this.#levels.map((level) => level.slice());
    return copy;
  }

  get size(): number {
    return this.#levels[0]!.length;
  }

  get root(): Hash {
    return this.#levels.at(-1)![0] ?? emptyRoot();
  }

  /** The leaf at `index`, or undefined beyond the end. */
  leaf(index: number): Hash | undefined {
    return this.#levels[0]![index];
  }

  push(leaf: Hash): void {
    this.set(this.size, leaf);
  }

  /** Replaces the leaf at `index`, or adds one when `index` is the size. */
  set(index: number, leaf: Hash): void {
    if (index < 0 || index > this.size || !Number.isInteger(index)) throw new RangeError(`leaf ${index} of ${this.size}`);
    this.#levels[0]![index] = leaf;
    for (let k = 0, at = index; this.#levels[k]!.length > 1; k++) {
      const level = this.#levels[k]!;
      const up = (this.#levels[k + 1] ??= []);
      at = at >>> 1;
      up[at] = pairOf(level, at);
    }
  }

  /** Audit path of a leaf (RFC 9162 §2.1.3.1), nearest sibling first. */
  inclusion(index: number): Hash[] {
    if (index < 0 || index >= this.size || !Number.isInteger(index)) throw new RangeError(`leaf ${index} of ${this.size}`);
    const path: Hash[] = [];
    let at = index;
    for (const level of this.#levels) {
      const sibling = level[at % 2 === 0 ? at + 1 : at - 1];
      if (sibling !== undefined) path.push(sibling);
      at = at >>> 1;
    }
    return path;
  }

  /** Root of the first `size` leaves. */
  rootAt(size: number): Hash {
    if (size < 0 || size > this.size) throw new RangeError(`size ${size} of ${this.size}`);
    return size === 0 ? emptyRoot() : this.#range(0, size);
  }

  /** Proof that the first `from` leaves are a prefix of the first `to` (RFC 9162 §2.1.4.1); empty for equal sizes and for from = 0. */
  consistency(from: number, to: number = this.size): Hash[] {
    if (from < 0 || from > to || to > this.size) throw new RangeError(`sizes ${from}, ${to} of ${this.size}`);
    return from === 0 || from === to ? [] : this.#subproof(from, 0, to, true);
  }

  #subproof(m: number, start: number, end: number, whole: boolean): Hash[] {
    const size = end - start;
    if (m === size) return whole ? [] : [this.#range(start, end)];
    const k = splitAt(size);
    if (m <= k) return [...this.#subproof(m, start, start + k, whole), this.#range(start + k, end)];
    return [...this.#subproof(m - k, start + k, end, false), this.#range(start, start + k)];
  }

  /** Root of leaves start..end; `start` is a multiple of the largest power of two in the range. */
  #range(start: number, end: number): Hash {
    const size = end - start;
    const level = Math.log2(size);
    if (Number.isInteger(level)) return this.#levels[level]![start / size]!;
    const k = splitAt(size);
    return nodeHash(this.#range(start, start + k), this.#range(start + k, end));
  }
}

/** Root over `leaves` in one go, without keeping the tree. */
export function merkleRootOf(leaves: readonly Hash[]): Hash {
  let level: readonly Hash[] = leaves;
  while (level.length > 1) level = parentsOf(level);
  return level[0] ?? emptyRoot();
}

function parentsOf(level: readonly Hash[]): Hash[] {
  const up: Hash[] = [];
  for (let i = 0; i < level.length; i += 2) up.push(pairOf(level, i >>> 1));
  return up;
}

function pairOf(level: readonly Hash[], at: number): Hash {
  const left = level[2 * at]!;
  const right = level[2 * at + 1];
  return right === undefined ? left : nodeHash(left, right);
}

/** The largest power of two below `size` (≥ 2). */
function splitAt(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}
