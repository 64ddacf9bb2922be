import type { Digest } from "#base/canonical/index.ts";
import type { Time } from "#base/time/index.ts";
import { type FleetPlan, planFleet } from "#plan/index.ts";
import {
  type Holds,
  isCovered,
  type Judgement,
  judgeRelease,
  type KnownRelease,
  lifetimeOf,
  type Missing,
  readKnown,
  type Trust,
} from "#proof/release/index.ts";
import { RELEASE_CLASSES } from "#proof/root/index.ts";
import {
  type Branch,
  checkForm,
  followed,
  isOurs,
  liftsOf,
  nextRelease,
  type SecretsState,
  secretsState,
  trustOf,
  withdrawnBy,
  type WithdrawnBy,
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
  /** Releases of this outcome whose approvals were taken back. */
  readonly withdrawn: readonly Withdrawn[];
};

export type Withdrawn = WithdrawnBy & { readonly release: KnownRelease };

export type CaseInput = {
  readonly outcome: ReadOutcome;
  readonly standing: Standing;
  readonly branch: Branch;
  readonly now: Time;
} & CaseHow;

/** What a release is to be beyond the outcome. */
export type CaseHow = {
  readonly lifts?: readonly Digest[];
  /** Make a new release although one covers the outcome: before it expires. */
  readonly renew?: boolean;
  /** Resolve in this form, also where the release in force is in another one. */
  readonly resolver?: number | undefined;
  /** The release that this one takes the approvals of back. */
  readonly burns?: KnownRelease | undefined;
};

/** Pure. Throws RESOLVER_UNKNOWN. */
export function caseOf({ outcome, standing, branch, now, lifts = [], renew = false, resolver, burns }: CaseInput): Case {
  const trust = trustOf(outcome.resolved);
  const newest = standing.complete[0]?.release.doc;
  if (resolver !== undefined) checkForm(resolver, "--resolver");
  else if (newest !== undefined) checkForm(newest.resolver, `release ${newest.serial}`);
  const withdrawn = burns === undefined ? withdrawnOf({ standing, branch, now }) : [];
  const serial = Math.max(0, ...withdrawn.map((item) => item.serial));
  const digestsOf = (items: readonly Withdrawn[]): ReadonlySet<Digest> => new Set(items.map(({ release }) => release.release.digest));
  const [digests, access] = [digestsOf(withdrawn), digestsOf(withdrawn.filter(({ isAccess }) => isAccess))];
  const input = {
    outcome,
    trust,
    standing,
    branch,
    lifts,
    now,
    resolver,
    burns: burns?.release.doc,
    withdrawn: { digests, access, serial },
  };
  const wanted = liftsOf(input);
  const inForce = standing.inForce?.release ?? null;
  const covers = ({ release }: KnownRelease): boolean =>
    isCovered(release.doc, outcome.roots.classes, trust.leaf) &&
    wanted.every((digest) => release.doc.lifts.includes(digest)) &&
    (resolver === undefined || release.doc.resolver === resolver) &&
    release.doc.serial > (burns?.release.doc.serial ?? 0);
  const above = inForce?.release.doc.serial ?? 0;
  const complete = standing.complete.find(
    (item) =>
      covers(item) &&
      (item === inForce || (item.release.doc.serial > above && !digests.has(item.release.digest))) &&
      now < item.release.doc.expires,
  );
  const isHalfRenewed = (): boolean => inForce !== null && isRenewal(inForce, now) && isOpen(inForce);
  const isOpen = ({ release: { doc } }: KnownRelease): boolean =>
    secretsState({ ...input, serial: doc.serial, issuedFrom: doc.issued }).at === "open";
  const isUsable = complete !== undefined && (!renew || complete !== inForce || isHalfRenewed());
  const head = isUsable
    ? complete
    : (unfinished(branch, standing, input) ??
      readKnown({ bytes: nextRelease(input), sigs: [], trust: trust.bytes }, outcome.resolved.fleet));
  const sections = [trust, ...standing.trusts.map((item) => item.trust)];
  const judge = (holds: Holds): Judgement => judgeRelease({ head, releases: branch.releases, holds, sections, now });
  const judged = judge(startOf(standing, head));
  // While root has not agreed to a new trust section nothing is judged under it; people want to know of all signatures at once.
  const others = judged.trust === null ? judge({ pin: trust.leaf }).missing.filter(({ role }) => role !== "root") : [];
  const secrets = secretsState({ ...input, serial: head.release.doc.serial, ...(renew ? { issuedFrom: head.release.doc.issued } : {}) });
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
    withdrawn: withdrawn.filter(({ release }) => isCovered(release.release.doc, outcome.roots.classes, trust.leaf)),
  };
}

/** Where machines stand when they meet it: on the release in force, so that what leads away from its trust section is asked of its root. */
function startOf({ holds, inForce }: Standing, head: KnownRelease): Holds {
  const serial = inForce?.release.release.doc.serial ?? 0;
  return inForce === null || head.release.doc.serial <= serial ? holds : { trust: inForce.release.release.doc.trust, serial };
}

/** Whether it changed nothing but the time: then who renews goes on with its secrets release. */
function isRenewal({ release: { doc } }: KnownRelease, now: Time): boolean {
  return lifetimeOf(doc, now) === "fresh" && RELEASE_CLASSES.every((name) => doc.classes[name].since < doc.serial);
}

function withdrawnOf({ standing, branch, now }: Pick<CaseInput, "standing" | "branch" | "now">): readonly Withdrawn[] {
  return branch.releases.flatMap((release) => {
    const found = withdrawnBy(release, { standing, branch, now });
    return found === null ? [] : [{ release, ...found }];
  });
}

/** Of the unfinished releases that we could have made, the one with the most good signatures, then the oldest. */
function unfinished(branch: Branch, standing: Standing, input: Parameters<typeof isOurs>[1]): KnownRelease | null {
  const done = new Set(standing.complete);
  const open = branch.releases.filter(
    (item) =>
      !done.has(item) &&
      input.withdrawn?.digests.has(item.release.digest) !== true &&
      lifetimeOf(item.release.doc, input.now) === "fresh" && // anybody may push one that runs out in a minute
      isOurs(item, input),
  );
  const byProgress = (a: KnownRelease, b: KnownRelease): number =>
    b.release.signers().length - a.release.signers().length || (a.release.doc.issued < b.release.doc.issued ? -1 : 1);
  return open.sort(byProgress)[0] ?? null;
}
