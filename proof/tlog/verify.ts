import { type Hash, nodeHash } from "./merkle.ts";

/** The root that `leaf` at `index` of `size` leads to along `path` (RFC 9162 §2.1.3.2); null when index, size and path cannot belong
 *  together. Compare the result with the root you trust. */
export function rootFromInclusion(leaf: Hash, index: number, size: number, path: readonly Hash[]): Hash | null {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return null;
  let fn = index;
  let sn = size - 1;
  let root = leaf;
  for (const sibling of path) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      root = nodeHash(sibling, root);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      root = nodeHash(root, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 ? root : null;
}

/** Whether `proof` shows that the tree of `from` leaves with `fromRoot` is a prefix of the one of `to` leaves with `toRoot` (RFC 9162
 *  §2.1.4.2). An empty log (from = 0) is a prefix of every log and takes no proof. */
export function isConsistent(
  from: { readonly size: number; readonly root: Hash },
  to: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (!Number.isSafeInteger(from.size) || !Number.isSafeInteger(to.size) || from.size < 0 || from.size > to.size) return false;
  if (from.size === to.size) return proof.length === 0 && same(from.root, to.root);
  if (from.size === 0) return proof.length === 0;
  const path = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  const ends = walk(from.size - 1, to.size - 1, path);
  return ends !== null && same(ends.first, from.root) && same(ends.second, to.root);
}

function walk(fn: number, sn: number, path: readonly Hash[]): { readonly first: Hash; readonly second: Hash } | null {
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  const [start, ...rest] = path;
  if (start === undefined) return null;
  let [fr, sr] = [start, start];
  for (const c of rest) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, c);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 ? { first: fr, second: sr } : null;
}

/** Sizes go to 2^53, beyond what bit operators take. */
function half(n: number): number {
  return Math.floor(n / 2);
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n)) && 2 ** Math.round(Math.log2(n)) === n;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
