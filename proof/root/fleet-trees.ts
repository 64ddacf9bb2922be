import { type Digest, digestFrom } from "#base/canonical/index.ts";
import { MerkleTree } from "#proof/tlog/index.ts";
import { classDigest, classIndexes, type Index } from "./index-of.ts";
import { machineLeafHash, type MerklePath } from "./merkle.ts";
import { RELEASE_CLASSES, type SectionClass } from "./section.ts";

/** Root and leaf count of one class over the whole fleet, as release.json names them. */
export type ClassRoot = { readonly root: Digest; readonly size: number };

/** The Merkle trees of all classes of a fleet: roots for a release, paths for the machines' proofs. */
export type FleetTrees = {
  readonly roots: Readonly<Record<SectionClass, ClassRoot>>;
  /** Path of one machine's leaf; null when it has no sections of that class. */
  path(of: SectionClass, machine: string): MerklePath | null;
  /** The same fleet with some machines' indexes changed (an index) or gone (null): only their leaves are hashed again. */
  with(changes: ReadonlyMap<string, Index | null>): FleetTrees;
};

const CLASSES: readonly SectionClass[] = [...RELEASE_CLASSES, "secrets"];

type ClassTree = {
  readonly machines: readonly string[];
  readonly leaves: readonly Uint8Array[];
  readonly tree: MerkleTree;
  readonly root: ClassRoot;
};
type Digests = Map<string, Digest>;

/** Trees over `indexes` (machine → its index, sorted by key). Machines are sorted by name. Class digests are cached by the text of the
 *  class's index, since most machines share them. Pure. */
export function fleetTrees(fleet: string, indexes: ReadonlyMap<string, Index>): FleetTrees {
  return grow(fleet, emptyTrees(), new Map(), indexes);
}

function grow(
  fleet: string,
  before: ReadonlyMap<SectionClass, ClassTree>,
  digests: Digests,
  changes: ReadonlyMap<string, Index | null>,
): FleetTrees {
  const edits = editsOf(fleet, digests, changes);
  const trees = new Map(CLASSES.map((name) => [name, edited(before.get(name)!, edits.get(name)!)]));
  return {
    roots: Object.fromEntries(CLASSES.map((name) => [name, trees.get(name)!.root])) as Record<SectionClass, ClassRoot>,
    path: (of, machine) => pathIn(trees.get(of)!, machine),
    with: (next) => grow(fleet, trees, digests, next),
  };
}

type Edits = Map<string, Uint8Array | null>;

function editsOf(fleet: string, digests: Digests, changes: ReadonlyMap<string, Index | null>): Map<SectionClass, Edits> {
  const edits = new Map<SectionClass, Edits>(CLASSES.map((name) => [name, new Map()]));
  for (const [machine, index] of changes) {
    const classes = index === null ? new Map<SectionClass, Index>() : classIndexes(index);
    for (const name of CLASSES) {
      const of = classes.get(name);
      edits.get(name)!.set(machine, of === undefined ? null : machineLeafHash(fleet, machine, cachedDigest(digests, name, of)));
    }
  }
  return edits;
}

function cachedDigest(digests: Digests, name: SectionClass, index: Index): Digest {
  let text: string = name;
  for (const [key, leaf] of index) text += `\n${key} ${leaf}`; // keys hold no space and no line feed
  let digest = digests.get(text);
  if (digest === undefined) digests.set(text, (digest = classDigest(name, index)));
  return digest;
}

function edited(before: ClassTree, edits: Edits): ClassTree {
  const places = placesOf(before, edits);
  if (places === null) return rebuilt(before, edits);
  const leaves = [...before.leaves];
  for (const [at, leaf] of places) leaves[at] = leaf;
  if (places.size === 0) return before;
  const tree = changedTree(before, leaves, places);
  return { machines: before.machines, leaves, tree, root: { root: digestFrom(tree.root), size: tree.size } };
}

/** A few leaves: their paths are hashed again; many: the whole tree. */
function changedTree(before: ClassTree, leaves: readonly Uint8Array[], places: ReadonlyMap<number, Uint8Array>): MerkleTree {
  if (places.size * 16 > leaves.length) return new MerkleTree(leaves);
  const tree = before.tree.copy();
  for (const [at, leaf] of places) tree.set(at, leaf);
  return tree;
}

/** Where each edit replaces a leaf; null when a machine comes or goes, so that places shift. */
function placesOf(before: ClassTree, edits: Edits): Map<number, Uint8Array> | null {
  const places = new Map<number, Uint8Array>();
  for (const [machine, leaf] of edits) {
    const at = search(before.machines, machine);
    if (at < 0 && leaf === null) continue;
    if (at < 0 || leaf === null) return null;
    if (!Buffer.from(before.leaves[at]!).equals(leaf)) places.set(at, leaf);
  }
  return places;
}

function rebuilt(before: ClassTree, edits: Edits): ClassTree {
  const rows = new Map(before.machines.map((machine, i) => [machine, before.leaves[i]!]));
  for (const [machine, leaf] of edits) {
    if (leaf === null) rows.delete(machine);
    else rows.set(machine, leaf);
  }
  const machines = [...rows.keys()].sort((a, b) => (a < b ? -1 : 1));
  const leaves = machines.map((machine) => rows.get(machine)!);
  const tree = new MerkleTree(leaves);
  return { machines, leaves, tree, root: { root: digestFrom(tree.root), size: tree.size } };
}

function pathIn(of: ClassTree, machine: string): MerklePath | null {
  const index = search(of.machines, machine);
  return index < 0 ? null : { index, hashes: of.tree.inclusion(index).map(digestFrom) };
}

function search(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === name ? low : -1;
}

function emptyTrees(): Map<SectionClass, ClassTree> {
  const tree = new MerkleTree();
  const empty = { machines: [], leaves: [], tree, root: { root: digestFrom(tree.root), size: 0 } };
  return new Map(CLASSES.map((name) => [name, empty]));
}
