import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { classDigest, type Index, machineLeaf, type MerklePath, rootFromPath, type SectionClass } from "#proof/root/index.ts";

/** Whether one machine's sections of one class are under the root people signed; throws ROOT_MISMATCH. */
export function checkMerklePath(
  fleet: string,
  machine: string,
  name: SectionClass,
  index: Index,
  entry: { readonly root: Digest; readonly size: number },
  path: MerklePath,
): void {
  const leaf = machineLeaf(fleet, machine, classDigest(name, index));
  if (rootFromPath(leaf, path.index, entry.size, path.hashes) !== entry.root)
    throw new MooringError("ROOT_MISMATCH", `${machine}: its ${name} sections are not in the signed root`);
}
