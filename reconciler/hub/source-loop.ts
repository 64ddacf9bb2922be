import type { Digest } from "#base/canonical/index.ts";
import { MooringError, type Problem, toProblem } from "#base/errors/index.ts";
import { type Clock, type Time, timeOf } from "#base/time/index.ts";
import { type FleetTarget, fleetTarget } from "../machine/index.ts";
import {
  type Branch,
  branchOf,
  newestSigned,
  NO_BRANCH,
  outcomeReader,
  policyJudge,
  type Selection,
  selectTarget,
  trustOf,
  waitOf,
} from "../revision/index.ts";
import { checkTrustRoot, commitWords, unknownForm } from "../revision/index.ts";
import { checkFloor, type Floor, NO_FLOOR, uncovered } from "../recovery/index.ts";
import type { Resolved } from "../desired/index.ts";
import { staleSigner, type Verdicts, verifyAuthors } from "./authors.ts";
import { authorOf, type Oid, type Source } from "../source/index.ts";

/** Where the fleet repo stands after a look. `target` = what runs; null before anything was ever released. */
export type SourceView = {
  readonly head: Selection["head"] | null;
  /** Whom the head and the target's commit name as their authors: claimed, not proven. */
  readonly names: ReadonlyMap<Oid, string>;
  /** Why the head waits, and for whom; null when it does not. */
  readonly wait: Problem | null;
  readonly target: FleetTarget | null;
  readonly branch: Branch;
  /** Trust leaf of the revision whose rule for commits the authors up to `head` have passed; null at first contact, when there was none. */
  readonly authors: Digest | null;
  /** What is wrong with the author of the revision in force by the rule of today. */
  readonly warning: Problem | null;
  readonly checkedAt: Time | null;
};

export type SourceLoop = {
  /** One look: poll, verify, select. Gives the view and whether the target changed. Throws what keeps the last good target in force. */
  look(signal: AbortSignal): Promise<{ readonly view: SourceView; readonly isNew: boolean }>;
  readonly view: () => SourceView;
};

export type SourceLoopDeps = {
  readonly source: Source;
  readonly pin: Digest;
  readonly version: string;
  readonly clock: Clock;
  /** What machines and vault stand on, asked while there is no last verified revision: a first start, or a lost file. Null = nobody to ask. */
  readonly witness: ((resolved: Resolved, signal: AbortSignal) => Promise<Floor>) | null;
};

/** Where the next look starts from; `revision` null = anywhere on main. */
type From = { readonly revision: Oid | null; readonly serial: number };

/** Follows main and the releases branch of one source, from the pinned trust root on. The last verified revision is a file of ours; nothing is ever
 *  taken from behind it. */
export function makeSourceLoop({ source, pin, version, clock, witness }: SourceLoopDeps): SourceLoop {
  const reader = outcomeReader(source, version);
  const judge = policyJudge(source);
  const branches = new Map<string, Branch>();
  let branchTip: Oid | null = null;
  let view: SourceView = NOTHING;
  let judgedAt = -Infinity; // of the last look that passed: what was refused is judged, and said, again at each look
  let floor = NO_FLOOR;
  const verdicts: Verdicts = new Map();

  const readBranch = async (tip: Oid | null, fleet: string): Promise<Branch> => {
    if (tip === null) return NO_BRANCH;
    if (tip !== branchTip) branches.clear();
    branchTip = tip;
    let branch = branches.get(fleet);
    if (branch === undefined) branches.set(fleet, (branch = branchOf(await source.readReleases(tip), fleet)));
    return branch;
  };
  /** The fleet's name by the first of these commits that reads: a broken head must not hide the releases of the good one before it. */
  const fleetNamed = async (revisions: readonly Oid[]): Promise<string> => {
    for (const revision of revisions) {
      const outcome = await reader.read(revision);
      if (outcome.at === "read") return outcome.resolved.fleet;
    }
    return "";
  };
  const selectFrom = (from: From, head: Oid, branch: Branch): Promise<Selection> =>
    selectTarget({
      source,
      reader,
      head,
      since: from.revision,
      minSerial: from.serial,
      minSecrets: floor.secretsSerial,
      branchFor: () => branch,
      holds: { pin },
      now: timeOf(clock()),
      judge,
    });
  /** Without a last verified revision nothing is older than what any machine, or the vault, stands on; never simply main's head. */
  const recover = async (head: Oid, branch: Branch, signal: AbortSignal): Promise<From> => {
    const { target } = await selectFrom(ANYWHERE, head, branch);
    if (target === null || witness === null) return ANYWHERE;
    const found = await witness(target.outcome.resolved, signal);
    const newest = newestSigned(branch, { pin }, trustOf(target.outcome.resolved));
    await checkFloor(found, { newest, head, isFastForward: (before, after) => source.isFastForward(before, after) });
    floor = found;
    return found;
  };
  const look = async (signal: AbortSignal): Promise<{ view: SourceView; isNew: boolean }> => {
    const polled = await source.poll(signal);
    const now = clock();
    if (!polled.changed && view.head !== null && now - judgedAt < REJUDGE_MS)
      return { view: (view = { ...view, checkedAt: timeOf(now) }), isNew: false };
    judgedAt = -Infinity;
    if (polled.main === null) throw new MooringError("REPO_EMPTY", "the fleet repo has no main branch");
    const verified = await source.readVerified();
    const fleet = await fleetNamed([polled.main, ...(verified === null ? [] : [verified.revision])]);
    const branch = await readBranch(polled.releases, fleet);
    const from = verified ?? (await recover(polled.main, branch, signal));
    const judge = await reader.read(from.revision ?? polled.main);
    const authors = await verifyAuthors(source, { judge, since: from.revision, serial: from.serial, head: polled.main, now }, verdicts);
    const selection = await selectFrom(from, polled.main, branch);
    if (selection.target === null && verified === null && from.serial > 0 && selection.head.cover?.at === "awaiting")
      throw uncovered(floor);
    if (selection.target === null && from.revision === null && judge.at === "read") {
      const commit = commitWords(polled.main, (await namesOf(source, [polled.main])).get(polled.main) ?? null);
      checkTrustRoot(branch, pin, judge.resolved.trustLeaf, commit);
    }
    const target =
      selection.target === null
        ? view.target
        : fleetTarget(selection.target, branch, (digest) => ageFileOf(source, selection.target, digest));
    const form = selection.head.cover?.at === "awaiting" ? unknownForm(branch, { pin }, from.serial) : null;
    const stale =
      selection.target === null || target === null
        ? view.warning
        : await staleSigner(source, selection.target.outcome, { serial: target.head.release.doc.serial, now }, verdicts);
    const warning = form === null ? stale : toProblem(form);
    if (selection.target !== null && target !== null)
      await source.storeVerified({ revision: target.revision, serial: target.head.release.doc.serial });
    const names = await namesOf(source, [selection.head.revision, ...(target === null ? [] : [target.revision])]);
    const wait = waitOf(selection.head, names.get(selection.head.revision) ?? null, branch);
    const isNew = target !== null && keyOf(target) !== (view.target === null ? null : keyOf(view.target));
    view = {
      head: selection.head,
      names,
      wait: wait === null ? null : toProblem(wait),
      target,
      branch,
      authors: warning !== null && polled.main === target?.revision ? null : authors,
      warning,
      checkedAt: timeOf(now),
    };
    judgedAt = now;
    return { view, isNew };
  };
  return { look, view: () => view };
}

const NOTHING: SourceView = {
  head: null,
  names: new Map(),
  wait: null,
  target: null,
  branch: NO_BRANCH,
  authors: null,
  warning: null,
  checkedAt: null,
};

// Releases expire without anybody pushing.
const REJUDGE_MS = 60_000;
const ANYWHERE: From = { revision: null, serial: 0 };

function keyOf(target: FleetTarget): string {
  return `${target.revision} ${target.head.release.digest} ${target.secrets?.digest ?? ""}`;
}

async function namesOf(source: Source, commits: readonly Oid[]): Promise<ReadonlyMap<Oid, string>> {
  const named = [...new Set(commits)].map(async (oid) => [oid, await source.withObjects((objects) => authorOf(objects, oid))] as const);
  return new Map(await Promise.all(named));
}

async function ageFileOf(source: Source, target: Selection["target"], digest: Digest): Promise<Uint8Array> {
  const path = target?.outcome.resolved.hubSettings.ageFiles.get(digest);
  const file = path === undefined ? undefined : target?.outcome.tree.get(path);
  if (file === undefined) throw new MooringError("FLEET_INVALID", "an age file of the released revision is missing", { why: digest });
  return source.readBlob(file.oid);
}
