export { type ClassRoot, type FleetTrees, fleetTrees } from "./fleet-trees.ts";
export { classDigest, classIndexes, type Index, indexOf, machineRoot, sortIndex } from "./index-of.ts";
export { machineLeaf, merklePath, type MerklePath, merkleRoot, rootFromPath } from "./merkle.ts";
export {
  type AnySection,
  classOfKind,
  driftLeaf,
  keyOf,
  leafOf,
  leafOfText,
  RELEASE_CLASSES,
  type ReleaseClass,
  type SectionClass,
} from "./section.ts";
export { treeDigest, type TreeFile } from "./tree.ts";
