import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { isComplete, releaseName } from "#proof/release/index.ts";
import type { Branch } from "./branch.ts";
import { signedBy } from "./signed-by.ts";

const MAX_SECTIONS = 16; // main's own, and of the newest releases: anybody may push more

/** Throws TRUST_ROOT_UNPROVEN where people have released, from another trust section than the pinned one: neither main's own section nor that of any
 *  release is the pin, so nothing can ever lead from it. A branch on which nothing is complete says nothing yet. `commit` = main's newest one, in words. Pure. */
export function checkTrustRoot(branch: Branch, pin: Digest, own: Digest, commit: string): void {
  const sections = [...new Set([own, ...branch.releases.flatMap(({ trust }) => trust?.leaf ?? [])])];
  if (sections.includes(pin)) return;
  const released = sections.slice(0, MAX_SECTIONS).flatMap((leaf) => {
    const head = branch.releases.find((item) => isComplete({ head: item, releases: branch.releases, holds: { pin: leaf } }));
    return head === undefined ? [] : [{ leaf, head }];
  });
  const [first] = released;
  if (first === undefined) return;
  const { release } = first.head;
  const signed = signedBy(first.head);
  const by = signed.length === 0 ? "" : `, signed by ${signed.join(", ")},`;
  throw new MooringError("TRUST_ROOT_UNPROVEN", `trust root ${pin}: nothing of ${commit} follows from it`, {
    why: `release ${releaseName(release)}${by} and what else is there names ${released
      .slice(0, 3)
      .map(({ leaf }) => leaf)
      .join(", ")}, which you were not told to believe`,
    fix: "have the fleet's people read out the leaf that `mooring trust-root --dir DIR` prints of their checkout; only if it is one of these, start again with `--trust-root LEAF`",
  });
}
