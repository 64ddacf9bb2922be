import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { judgeRelease } from "#proof/release/index.ts";
import type { Branch } from "./branch.ts";

const MAX_SECTIONS = 16; // main's own, and of the newest releases: anybody may push more

/** Throws TRUST_ROOT_UNPROVEN where people have released, from another trust section than the pinned one: neither main's own section nor that of any
 *  release is the pin, so nothing can ever lead from it. A branch on which nothing is complete says nothing yet. Pure. */
export function checkTrustRoot(branch: Branch, pin: Digest, own: Digest): void {
  const sections = [...new Set([own, ...branch.releases.flatMap(({ trust }) => trust?.leaf ?? [])])];
  if (sections.includes(pin)) return;
  const released = sections
    .slice(0, MAX_SECTIONS)
    .filter((leaf) => branch.releases.some((head) => judgeRelease({ head, releases: branch.releases, holds: { pin: leaf } }).complete));
  if (released.length === 0) return;
  throw new MooringError("TRUST_ROOT_UNPROVEN", `trust root ${pin}`, {
    why: `no release leads from it to anything; those that are there name ${released.slice(0, 3).join(", ")}, which you were not told to believe`,
  });
}
