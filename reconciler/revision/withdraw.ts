import type { Time } from "#base/time/index.ts";
import { countRole, type KnownRelease } from "#proof/release/index.ts";
import type { RoleName } from "#schemas/wire/index.ts";
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

const ROLES: readonly RoleName[] = ["root", "release", "access"];
const MAX_AHEAD = 1_000; // serials: what lies further ahead was never made by our commands

/** Whether it can be taken back: it comes after what machines have, and no further than people get by signing. */
export function isWithdrawable({ release }: KnownRelease, { complete, inForce }: WithdrawInput["standing"]): boolean {
  const { serial } = release.doc;
  return serial > (inForce?.release.release.doc.serial ?? 0) && serial < (complete[0]?.release.doc.serial ?? 0) + MAX_AHEAD;
}

/** Those signers of an item who have signed its withdrawal too: their approval counts no longer with us, even while the withdrawal is not complete.
 *  `isAccess` = they had approved it for the access role; else what others approved for that role stays. `serial` = of the newest withdrawal, above which
 *  the next release goes. */
export type WithdrawnBy = { readonly by: readonly string[]; readonly isAccess: boolean; readonly serial: number };

/** Null when nobody has: somebody in no role had nothing to approve, so has nothing to take back. Pure. */
export function withdrawnBy(item: KnownRelease, input: WithdrawInput): WithdrawnBy | null {
  if (item.release.sigs.length === 0 || !isWithdrawable(item, input.standing)) return null;
  const next = withdrawalInput(item, input);
  if (next === null) return null;
  const { section } = next.trust;
  const having = ({ release }: KnownRelease, role: RoleName): readonly string[] =>
    section.roles[role].by === "ci" ? [] : countRole(section, role, release, release.doc.serial).have;
  const signersOf = (release: KnownRelease): ReadonlySet<string> => new Set(ROLES.flatMap((role) => having(release, role)));
  const signers = [...signersOf(item)];
  if (signers.length === 0) return null;
  const back = input.branch.releases.filter((other) => {
    if (!isWithdrawable(other, input.standing) || other.release.doc.serial <= item.release.doc.serial) return false;
    const by = signersOf(other);
    return signers.some((name) => by.has(name)) && isOurs(other, next);
  });
  const by = signers.filter((name) => back.some((other) => signersOf(other).has(name)));
  if (by.length === 0) return null;
  const access = having(item, "access");
  return { by, isAccess: by.some((name) => access.includes(name)), serial: Math.max(...back.map(({ release }) => release.doc.serial)) };
}
