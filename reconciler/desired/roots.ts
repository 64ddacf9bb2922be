import type { Digest } from "#base/canonical/index.ts";
import { type ClassRoot, type FleetTrees, fleetTrees, type ReleaseClass } from "#proof/root/index.ts";
import type { Resolved } from "./resolve.ts";

/** What a release of this outcome names, and the trees its proofs are cut from. */
export type Roots = {
  readonly trust: Digest;
  readonly classes: Readonly<Record<ReleaseClass, ClassRoot>>;
  readonly secrets: ClassRoot;
  readonly trees: FleetTrees;
};

/** Merkle roots of every class over all machines. Pure. */
export function rootsOf(resolved: Resolved): Roots {
  const trees = fleetTrees(resolved.fleet, new Map([...resolved.machines].map(([machine, { index }]) => [machine, index])));
  const { machines, baseline, access, plugins, secrets } = trees.roots;
  return { trust: resolved.trustLeaf, classes: { machines, baseline, access, plugins }, secrets, trees };
}
