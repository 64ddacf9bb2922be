import type { Digest } from "#base/canonical/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import type { FleetPlan } from "#plan/index.ts";
import { type Finding, finding } from "#reconciler/desired/index.ts";
import type { Judged } from "#reconciler/policy/index.ts";
import { approvedBy, type Branch, confirmedBy } from "#reconciler/revision/index.ts";
import type { Deps } from "../fleet/open.ts";
import type { Out } from "../io.ts";
import { VERSION } from "../version.ts";
import { readBase } from "./base.ts";
import { changedLines } from "./changed-lines.ts";
import { type Checkout, isGrownFrom, openCheckout } from "./checkout/index.ts";
import { type Compared, mainOutcomes, outcomeOfSide, readCompared, readReleaseBranch } from "./read.ts";
import { type ReleaseView, releaseView } from "./release.ts";
import type { Review } from "./review.ts";
import { planOf, reviewOf } from "./review-of.ts";
import { newSideCache, readSide, type Side, type SideCache } from "./side.ts";
import { exitCodeOf, rolesExitCode, statusesOf } from "./statuses.ts";
import { reviewJson, reviewText } from "./text.ts";

export type ReviewOptions = {
  /** The checkout, or a folder in it. */
  readonly repo: string;
  /** Null = the first of origin/HEAD, main that is there; without any, everything is new. */
  readonly base: string | null;
  /** A branch that may have gone on since `base` was its tip: then its tip is compared. */
  readonly into?: string | null;
  /** A revision, or "worktree". */
  readonly head: string;
  readonly pr: number | null;
  /** Whom to believe about releases; null = by the base's own word. */
  readonly trustRoot: Digest | null;
  /** The hub's socket, to ask for what it last saw. */
  readonly live: string | null;
};

/** `mooring plan` on a checkout: prints the review, or with `check` only how its signatures stand. See exitCodeOf and rolesExitCode for what it gives. */
export async function planCheckout(
  options: ReviewOptions & { readonly output: "text" | "json"; readonly check: "roles" | null },
  out: Out,
  deps: Pick<Deps, "clock">,
): Promise<number> {
  const review = await reviewCheckout(options, deps);
  if (options.check === null) {
    out.write(options.output === "json" ? reviewJson(review) : reviewText(review));
    return exitCodeOf(review);
  }
  const status = statusesOf(review).find(({ context }) => context === "mooring/roles")!;
  out.write(options.output === "json" ? `${JSON.stringify(status)}\n` : `${status.context} ${status.state}: ${status.description}\n`);
  return rolesExitCode(review);
}

/** Reviews a change from a checkout's own git folder: no network, no machine, and no hub unless `live` names one. */
export async function reviewCheckout(options: ReviewOptions, deps: Pick<Deps, "clock">): Promise<Review> {
  return (await lookAtCheckout(options, deps)).review;
}

/** A review and the two trees that it is of. */
export type Looked = { readonly review: Review; readonly base: Side | null; readonly head: Side };

/** The same with its trees, for outputs that quote lines of them. */
export async function lookAtCheckout(options: ReviewOptions, deps: Pick<Deps, "clock">): Promise<Looked> {
  const checkout = await openCheckout(options.repo);
  const compared = await readCompared(checkout, await baseOf(options, checkout), options.head);
  const cache = newSideCache();
  const { base, broken } = await readBase(checkout, compared, cache);
  const head = await readSide(compared.head.revision, compared.head.files, cache, VERSION);
  const now = timeOf(deps.clock());
  const plan = planOf(base, head);
  const branch = await readReleaseBranch(checkout, base?.whole?.repo.fleet.name ?? plan.fleet);
  const release = await releaseOf({ checkout, compared, base, head, branch, options, now }, cache);
  const serial = release?.state.inForce ?? 1;
  const confirmed = base?.whole == null ? [] : confirmedBy(base.whole.resolved, branch, serial, now);
  const judged = await judgedBy(base, head, plan, checkout, serial, now);
  const policies = { ...judged, summary: withSigned(judged.summary, base, head, release) };
  const live = options.live === null ? null : await (await import("./live.ts")).liveState(options.live, deps.clock());
  const cut = [...broken, ...(compared.isCut ? [cutHistory(compared)] : [])];
  const review = reviewOf({
    base,
    head,
    plan,
    release,
    changed: await changedLines(base?.files ?? new Map(), head.files),
    policies: { ...policies, findings: [...policies.findings, ...cut] },
    confirmedBy: confirmed,
    live,
    pr: options.pr,
  });
  return { review, base, head };
}

async function baseOf({ base, into }: ReviewOptions, checkout: Checkout): Promise<string | null> {
  if (base === null) return defaultBase(checkout);
  const tip = into == null ? null : await checkout.tip(into);
  return tip !== null && (await isGrownFrom(checkout, base, tip)) ? tip : base;
}

/** What a branch is usually merged into, by where a clone or CI has it. */
async function defaultBase(checkout: Checkout): Promise<string | null> {
  for (const name of ["refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main"])
    if ((await checkout.tip(name)) !== null) return name;
  return null;
}

type Read = {
  readonly checkout: Checkout;
  readonly compared: Compared;
  readonly base: Side | null;
  readonly head: Side;
  readonly branch: Branch;
  readonly options: ReviewOptions;
  readonly now: Time;
};

async function releaseOf(read: Read, cache: SideCache): Promise<ReleaseView | null> {
  const { checkout, compared, base, branch, options, now } = read;
  const head = outcomeOfSide(read.head);
  if (head === null) return null;
  const known = base === null ? null : outcomeOfSide(base);
  const main = compared.main === null ? nothing() : mainOutcomes(checkout, compared.main, known, cache, VERSION);
  return releaseView({ head, base: known, main, branch, trustRoot: options.trustRoot, now });
}

async function* nothing(): AsyncGenerator<null> {}

/** CEL is heavy to load: only where somebody has written policies. */
async function judgedBy(base: Side | null, head: Side, plan: FleetPlan, { objects }: Checkout, serial: number, now: Time): Promise<Judged> {
  const repos = [base?.whole?.repo, head.whole?.repo].filter((repo) => repo !== undefined);
  if (head.whole === null || repos.every(({ policies }) => policies.length === 0))
    return {
      findings: [],
      summary: { from: base === null ? "head" : "base", judgedByBase: false, evaluated: 0, denied: 0, approvals: [] },
    };
  const { commitInfo, judgePolicies } = await import("#reconciler/policy/index.ts");
  const commit =
    head.revision === "worktree"
      ? { id: null, author: "", time: now, signed: false, signer: null }
      : commitInfo({ id: head.revision, raw: await objects.raw(head.revision, "commit"), now }, repos[0]!.trust, serial);
  return judgePolicies({ base: base?.whole?.repo ?? null, head: head.whole.repo, plan, commit, preview: true });
}

/** Who of the owners has approved so far, as the hub will count. */
function withSigned(summary: Judged["summary"], base: Side | null, head: Side, release: ReleaseView | null): Judged["summary"] {
  const next = outcomeOfSide(head);
  if (next === null || release === null || release.head === null || summary.approvals.length === 0) return summary;
  const candidate = {
    base: base === null ? null : outcomeOfSide(base),
    next,
    release: release.head,
    minSerial: release.state.inForce ?? 0,
  };
  return { ...summary, approvals: summary.approvals.map((item) => ({ ...item, signed: approvedBy(item, candidate) })) };
}

function cutHistory({ main }: Compared): Finding {
  const message = `the history of this clone does not say where the change left ${main?.slice(0, 8) ?? "its base"}: the two are compared as they stand`;
  return { ...finding("REVISION_MISSING", "fleet.yaml", { line: 1, col: 1, endLine: 1, endCol: 1 }, message), level: "notice" };
}
