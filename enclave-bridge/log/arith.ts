import { sha256 } from "#base/canonical/index.ts";

/** Hashes in a full tile, and entries in a full bundle (C2SP tlog-tiles). */
export const WIDTH = 256;

export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(0), entry);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(1), left, right);
}

/** Path of hash tile `n` of `level`, partial when it holds `width` < 256 hashes. */
export function tilePath(level: number, n: number, width: number): string {
  return `tile/${level}/${numbered(n, width)}`;
}

/** Path of entry bundle `n`. */
export function bundlePath(n: number, width: number): string {
  return `tile/entries/${numbered(n, width)}`;
}

function numbered(n: number, width: number): string {
  const groups = [String(n % 1000).padStart(3, "0")];
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return groups.join("/") + (width < WIDTH ? `.p/${width}` : "");
}

/** An entry bundle: each entry after its u16 big-endian length. */
export function bundleOf(entries: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const entry of entries) {
    view.setUint16(at, entry.length);
    out.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return out;
}
