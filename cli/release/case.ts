import type { Digest } from "#base/canonical/index.ts";
import type { Time } from "#base/time/index.ts";
import { type FleetPlan, planFleet } from "#plan/index.ts";
import { isCovered, type Judgement, judgeRelease, type KnownRelease, type Missing, readKnown, type Trust } from "#proof/release/index.ts";
import {
  type Branch,
  followed,
  isOurs,
  liftsOf,
  nextRelease,
  type SecretsState,
  secretsState,
  trustOf,
} from "#reconciler/revision/index.ts";
import type { ReadOutcome } from "../fleet/open.ts";
import type { Standing } from "./standing.ts";

/** How one outcome stands: `head` is the release that covers it, the unfinished one on the branch, or one to be made (`isNew`). */
export type Case = {
  readonly outcome: ReadOutcome;
  readonly trust: Trust;
  /** Whether it is another trust section than the one in force: then its bytes go along with the release. */
  readonly isTrustNew: boolean;
  readonly plan: FleetPlan;
  readonly head: KnownRelease;
  readonly isNew: boolean;
  readonly isComplete: boolean;
  readonly secrets: SecretsState;
  readonly missing: readonly Missing[];
  /** Revocations that this release is the first to end. */
  readonly lifts: readonly Digest[];
};

export type CaseInput = {
  readonly outcome: ReadOutcome;
  readonly standing: Standing;
  readonly branch: Branch;
  readonly now: Time;
  readonly lifts?: readonly Digest[];
  /** Make a new release although one covers the outcome: before it expires. */
  readonly renew?: boolean;
};

/** Pure. */
export function caseOf({ outcome, standing, branch, now, lifts = [], renew = false }: CaseInput): Case {
  const trust = trustOf(outcome.resolved);
  const input = { outcome, trust, standing, branch, lifts, now };
  const wanted = liftsOf(input);
  const inForce = standing.inForce?.release ?? null;
  const covers = (item: KnownRelease): boolean =>
    isCovered(item.release.doc, outcome.roots.classes, trust.leaf) && wanted.every((digest) => item.release.doc.lifts.includes(digest));
  const above = inForce?.release.doc.serial ?? 0;
  const complete = standing.complete.find(
    (item) => covers(item) && (item === inForce || item.release.doc.serial > above) && now < item.release.doc.expires,
  );
  const isUsable = complete !== undefined && (!renew || complete !== inForce);
  const head = isUsable
    ? complete
    : (unfinished(branch, standing, input) ??
      readKnown({ bytes: nextRelease(input), sigs: [], trust: trust.bytes }, outcome.resolved.fleet));
  const sections = [trust, ...standing.trusts.map((item) => item.trust)];
  const judge = (holds: Standing["holds"]): Judgement => judgeRelease({ head, releases: branch.releases, holds, sections, now });
  const judged = judge(standing.holds);
  // While root has not agreed to a new trust section nothing is judged under it; people want to know of all signatures at once.
  const others = judged.trust === null ? judge({ pin: trust.leaf }).missing.filter(({ role }) => role !== "root") : [];
  const secrets = secretsState({ ...input, serial: head.release.doc.serial });
  let plan: FleetPlan | undefined; // who only asks for signatures does not wait for it
  return {
    outcome,
    trust,
    isTrustNew: followed(standing)?.release.doc.trust !== trust.leaf,
    get plan() {
      return (plan ??= planFleet(standing.inForce?.outcome.resolved ?? null, outcome.resolved));
    },
    head,
    isNew: !branch.releases.some(({ release }) => release.digest === head.release.digest),
    isComplete: judged.complete,
    secrets,
    missing: [...judged.missing, ...others, ...(secrets.at === "open" ? [secrets.missing] : [])],
    lifts: wanted.filter((digest) => inForce?.release.doc.lifts.includes(digest) !== true),
  };
}

/** Of the unfinished releases that we could have made, the one with the most good signatures, then the oldest. */
function unfinished(branch: Branch, standing: Standing, input: Parameters<typeof isOurs>[1]): KnownRelease | null {
  const done = new Set(standing.complete);
  const open = branch.releases.filter((item) => !done.has(item) && isOurs(item, input));
  const byProgress = (a: KnownRelease, b: KnownRelease): number =>
    b.release.signers().length - a.release.signers().length || (a.release.doc.issued < b.release.doc.issued ? -1 : 1);
  return open.sort(byProgress)[0] ?? null;
}
