import { canon, type Digest, digestBytes, digestFrom } from "#base/canonical/index.ts";
import { leafHash, merkleRootOf, MerkleTree, rootFromInclusion } from "#proof/tlog/index.ts";

/** Where a machine's leaf stands in a class's tree, and the hashes from it to the root. */
export type MerklePath = { readonly index: number; readonly hashes: readonly Digest[] };

/** Merkle leaf of one machine in one class (WIRE §3.7). */
export function machineLeaf(fleet: string, machine: string, classDigest: Digest): Digest {
  return digestFrom(machineLeafHash(fleet, machine, classDigest));
}

/** The same as bytes, for trees. */
export function machineLeafHash(fleet: string, machine: string, classDigest: Digest): Uint8Array {
  return leafHash(canon([fleet, machine, classDigest]));
}

/** RFC 6962 root of Merkle leaves, in the order given. */
export function merkleRoot(leaves: readonly Digest[]): Digest {
  return digestFrom(merkleRootOf(leaves.map(digestBytes)));
}

/** Path of leaf `index`; throws RangeError outside the tree. */
export function merklePath(leaves: readonly Digest[], index: number): MerklePath {
  return { index, hashes: new MerkleTree(leaves.map(digestBytes)).inclusion(index).map(digestFrom) };
}

/** The root a path leads to, or null when leaf count, index and path cannot belong together. */
export function rootFromPath(leaf: Digest, index: number, size: number, hashes: readonly Digest[]): Digest | null {
  const root = rootFromInclusion(digestBytes(leaf), index, size, hashes.map(digestBytes));
  return root === null ? null : digestFrom(root);
}
