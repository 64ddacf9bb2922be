import type { Time } from "#base/time/index.ts";
import { type KnownRelease, principalsOf } from "#proof/release/index.ts";
import type { Branch } from "./branch.ts";
import { trustOf } from "./cover.ts";
import { isOurs, type NextInput, type ReadOutcome, type Released } from "./next.ts";

export type WithdrawInput = {
  readonly standing: Pick<Released, "complete"> & {
    readonly inForce: { readonly release: KnownRelease; readonly outcome: ReadOutcome } | null;
  };
  readonly branch: Branch;
  readonly now: Time;
};

/** What the release is made from that takes back approvals of `item`: what is in force once more, under a serial above its own, and asked for anew
 *  where `item` had other people's approval. Once it is complete no machine takes `item`, nor its approvals on a later release. Null while nothing is in force. */
export function withdrawalInput(item: KnownRelease, { standing, branch, now }: WithdrawInput): NextInput | null {
  if (standing.inForce === null) return null;
  const { outcome } = standing.inForce;
  return { outcome, trust: trustOf(outcome.resolved), standing, branch, lifts: [], now, burns: item.release.doc };
}

/** Those signers of `item` who have signed its withdrawal too: their approval counts no longer with us, even while the withdrawal is not complete. Empty
 *  when nobody has. Pure. */
export function withdrawnBy(item: KnownRelease, input: WithdrawInput): ReadonlySet<string> {
  const next = withdrawalInput(item, input);
  if (next === null) return new Set();
  const signersOf = ({ release }: KnownRelease): ReadonlySet<string> =>
    principalsOf(next.trust.section, release.signers(), release.doc.serial, false);
  const signers = [...signersOf(item)];
  if (signers.length === 0) return new Set();
  const isLater = (other: KnownRelease): boolean => other.release.doc.serial > item.release.doc.serial;
  const back = input.branch.releases.filter((other) => {
    if (!isLater(other)) return false;
    const by = signersOf(other);
    return signers.some((name) => by.has(name)) && isOurs(other, next);
  });
  return new Set(signers.filter((name) => back.some((other) => signersOf(other).has(name))));
}
