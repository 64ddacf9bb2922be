import { hasCode } from "#base/errors/index.ts";
import { corrupt, type Objects, type Oid } from "../objects.ts";
import { diffTrees } from "../tree.ts";

/** Passes when everything that is new in `tip`'s tree, compared with `have`'s, is there; a pack may be sound and still lack what its commit names. Each
 *  object was hashed when it arrived. What a tree may not hold is judged by readTree, later. Throws SOURCE_CORRUPT. */
export async function proveWhole(objects: Objects, have: Oid | null, tip: Oid): Promise<void> {
  try {
    const before = have === null || !objects.has(have) ? null : (await objects.commit(have)).tree;
    for (const { after } of await diffTrees(objects, before, (await objects.commit(tip)).tree)) {
      if (after !== null && !objects.has(after.oid)) throw corrupt(after.oid, "a file of the newest commit is not there");
    }
  } catch (err) {
    if (!hasCode(err, "SOURCE_TREE_REFUSED") && !hasCode(err, "SOURCE_TOO_LARGE")) throw err;
  }
}
