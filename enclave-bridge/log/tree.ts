import { emptyRoot, merkleRootOf, nodeHash, TILE_WIDTH as WIDTH, tileRoot } from "#proof/tlog/index.ts";

/** The right edge of an RFC 6962 tree kept by tiles: `levels[L]` are the hashes in the last, not yet full tile of level L. */
export type Edge = { readonly size: number; readonly levels: readonly (readonly Uint8Array[])[] };

export const EMPTY: Edge = { size: 0, levels: [] };

export type FullTile = { readonly level: number; readonly n: number; readonly hashes: readonly Uint8Array[] };

/** `edge` with `leaves` added, and every tile that became full on the way, lowest level first. Pure. */
export function grow(edge: Edge, leaves: readonly Uint8Array[]): { readonly edge: Edge; readonly full: readonly FullTile[] } {
  const levels = edge.levels.map((hashes) => [...hashes]);
  const full: FullTile[] = [];
  let size = edge.size;
  for (const leaf of leaves) {
    size += 1;
    let hash = leaf;
    for (let level = 0, count = size; ; level++, count /= WIDTH) {
      const tile = (levels[level] ??= []);
      tile.push(hash);
      if (tile.length < WIDTH) break;
      full.push({ level, n: count / WIDTH - 1, hashes: tile });
      levels[level] = [];
      hash = tileRoot(tile);
    }
  }
  return { edge: { size, levels }, full };
}

/** Root of the whole tree; SHA-256 of nothing when it is empty. Pure. */
export function rootOf(edge: Edge): Uint8Array {
  const peaks = [...edge.levels].reverse().flatMap((hashes) => peaksOf(hashes));
  const last = peaks.pop();
  return last === undefined ? emptyRoot() : peaks.reduceRight((right, left) => nodeHash(left, right), last);
}

/** Roots of the perfect subtrees that `hashes` fall into, largest first. */
function peaksOf(hashes: readonly Uint8Array[]): Uint8Array[] {
  const peaks: Uint8Array[] = [];
  let at = 0;
  for (let span = WIDTH / 2; span >= 1; span /= 2) {
    if ((hashes.length & span) === 0) continue;
    peaks.push(merkleRootOf(hashes.slice(at, at + span)));
    at += span;
  }
  return peaks;
}
