import { MooringError } from "#base/errors/index.ts";
import type { Digest } from "#base/canonical/index.ts";
import { countRole } from "./signers.ts";
import { releaseName, type SignedRelease } from "./signed.ts";
import type { Trust } from "./trust.ts";

/** A release that changes trust, with the trust section it names. */
export type TrustStep = { readonly release: SignedRelease; readonly trust: Trust };

/** Where a walk starts: the trust accepted so far with its serial, or at first contact only the pinned leaf. */
export type TrustStart = { readonly trust: Trust; readonly serial: number } | { readonly pin: Digest };

/** The trust that `steps` lead to from `start`, or TRUST_BROKEN (WIRE §3.7 (d)). With no step, that of the start: for a pin `fallback`, a
 *  section whose leaf is the pin. The caller compares the result's leaf with the head's. */
export function walkTrust(start: TrustStart, steps: readonly TrustStep[], head: SignedRelease, fallback: Trust): Trust {
  let before = "pin" in start ? null : start.trust;
  let serial = "pin" in start ? 0 : start.serial;
  for (const step of steps) {
    const { doc } = step.release;
    if (doc.serial <= serial) throw broken(head, `release ${releaseName(step.release)} does not come after ${serial}`);
    if (doc.serial > head.doc.serial) throw broken(head, `release ${releaseName(step.release)} is beyond it`);
    if (doc.serial === head.doc.serial && step.release.digest !== head.digest)
      throw broken(head, `release ${releaseName(step.release)} has its serial`);
    if (before === null && "pin" in start && step.trust.leaf !== start.pin) throw broken(head, "the first step is not the pinned trust");
    const why = stepFault(before, step);
    if (why !== null) throw broken(head, why);
    before = step.trust;
    serial = doc.serial;
  }
  if (before !== null) return before;
  if (!("pin" in start) || fallback.leaf !== start.pin)
    throw broken(head, "the trust section is not the pinned one, and no trust release leads to it");
  return fallback;
}

/** Why `step` may not follow `before`, or null when it may: its section is the one its release names, and the root roles of the section
 *  before and of its own have each signed it. `before` is null for a pinned first step, which its own root signs. */
export function stepFault(before: Trust | null, step: TrustStep): string | null {
  const { doc } = step.release;
  if (step.trust.leaf !== doc.trust) return `release ${releaseName(step.release)} names another trust section`;
  for (const trust of before === null ? [step.trust] : [before, step.trust]) {
    const { met, have, need } = countRole(trust.section, "root", step.release, doc.serial);
    if (met) continue;
    const signed = `${have.length} of ${need} signed${have.length === 0 ? "" : ` (${have.join(", ")})`}`;
    return `release ${releaseName(step.release)} lacks root signatures of the ${trust === step.trust ? "new" : "old"} trust: ${signed}`;
  }
  return null;
}

function broken(head: SignedRelease, why: string): MooringError {
  return new MooringError("TRUST_BROKEN", `no chain of trust leads to release ${releaseName(head)}`, { why });
}
