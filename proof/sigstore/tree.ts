import { canon, type Digest, digestOf } from "#base/canonical/index.ts";

/** One file of a bundle: path, mode as an integer, size in bytes, SHA-256 of its content. */
export type TreeFile = readonly [path: string, mode: number, size: number, sha256: Digest];

/** Digest of a bundle's file tree (WIRE §3.6). `files` MUST be sorted by path bytes and unique, as those of a statement are. Pure. */
export function treeOf(files: readonly TreeFile[]): Digest {
  return digestOf(Uint8Array.of(3), "mooring/tree/v1\n", ...files.map((file) => `${canon(file)}\n`));
}
