import { accessEffects, type FleetPlan, planFleet, type SourceLine } from "#plan/index.ts";
import { type Finding, finding, guardPrune, sortFindings } from "#reconciler/desired/index.ts";
import type { Judged } from "#reconciler/policy/index.ts";
import { becauseOf } from "./because.ts";
import { blastOf } from "./blast.ts";
import { causeOf, type ChangedLines } from "./changed-lines.ts";
import { movedObjects } from "./objects.ts";
import type { ReleaseView } from "./release.ts";
import { roleRows } from "./roles.ts";
import type { AccessChange, LiveState, Review } from "./review.ts";
import type { Side } from "./side.ts";

export type ReviewInput = {
  /** Null = nothing before. */
  readonly base: Side | null;
  readonly head: Side;
  readonly changed: ChangedLines;
  readonly plan: FleetPlan;
  /** Null where the head can't be read. */
  readonly release: ReleaseView | null;
  readonly policies: Judged;
  /** Whoever has confirmed the deletions with a statement that is in force. */
  readonly confirmedBy: readonly string[];
  readonly live: LiveState | null;
  readonly pr: number | null;
};

/** The whole review of a change. Pure; what it is made of was read before. */
export function reviewOf(input: ReviewInput): Review {
  const { base, head, plan, changed, release } = input;
  const effects = effectsOf(input);
  const cause = (lines: readonly SourceLine[]) => causeOf(lines, changed.head) ?? causeOf(lines, changed.base);
  const both = wholes(input);
  const roles = release === null || !needsSigning(input) ? [] : roleRows(plan, effects, cause, release);
  return {
    v: 1,
    fleet: both?.base.repo.fleet.name ?? plan.fleet,
    base: base?.revision ?? null,
    head: head.revision,
    pr: input.pr,
    plan,
    access: effects.map(({ verb, who, what, how, machines, because }): AccessChange => ({ verb, who, what, how, machines, because })),
    blast: head.whole === null ? [] : blastOf(base?.whole ?? null, head.whole, plan),
    ...(both === null ? { deletions: [], renames: [] } : movedObjects(both.base.repo, both.head.repo, plan)),
    findings: findingsOf(input),
    policies: input.policies.summary,
    roles,
    release: stateOf(input),
    live: input.live,
  };
}

/** The plan of a change; empty where the head can't be read. Pure. */
export function planOf(base: Side | null, head: Side): FleetPlan {
  if (head.whole !== null) return planFleet(base?.whole?.resolved ?? null, head.whole.resolved);
  return { fleet: base?.whole?.resolved.fleet ?? "", steps: new Map(), groups: [], widens: [], roles: [], hub: [] };
}

function effectsOf({ base, head, plan, changed }: ReviewInput) {
  if (head.whole === null) return [];
  const effects = accessEffects(base?.whole?.resolved ?? null, head.whole.resolved, plan.steps);
  return effects.map((effect) => ({ ...effect, because: becauseOf(effect, base, head, changed) }));
}

function wholes({ base, head }: ReviewInput) {
  return base?.whole == null || head.whole === null ? null : { base: base.whole, head: head.whole };
}

function findingsOf(input: ReviewInput): readonly Finding[] {
  const { base, head, policies, confirmedBy } = input;
  const both = wholes(input);
  const guards = both === null ? [] : [...guardPrune(both.base, both.head, { confirmedBy }), ...renamedFleet(both, input.release)];
  return sortFindings([...head.findings, ...policies.findings, ...guards, ...(base === null ? [] : brokenBase(base))]);
}

/** Under another name no release covers anything, and machines take none. */
function renamedFleet({ base, head }: NonNullable<ReturnType<typeof wholes>>, release: ReleaseView | null): readonly Finding[] {
  const { fleet } = head.repo;
  if (fleet.name === base.repo.fleet.name) return [];
  const isReleased = release?.state.inForce != null;
  const message = `the fleet ${base.repo.fleet.name} would be called ${fleet.name}${isReleased ? ", and none of its machines would follow" : ""}`;
  const found = finding("FLEET_RENAMED", fleet.file, fleet.locate(["metadata", "name"]), message);
  return [{ ...found, level: isReleased ? "error" : "warning" }];
}

/** A base that can't be read hides what goes: everything looks new. */
function brokenBase({ whole, findings, revision }: Side): readonly Finding[] {
  const first = findings.find(({ level }) => level === "error");
  if (whole !== null || first === undefined) return [];
  const message = `the base ${revision.slice(0, 8)} can't be read here, so everything shows as new: ${first.message}`;
  return [{ ...first, level: "warning", message, fix: "merging a correction repairs it" }];
}

/** A change that touches no section has nothing of its own to sign, whatever main still waits for. */
function stateOf(input: ReviewInput): Review["release"] {
  const { release } = input;
  if (release === null) return { at: "open", serial: null, inForce: null, verified: false };
  return release.state.at === "open" && !needsSigning(input) ? { ...release.state, at: "none", serial: null } : release.state;
}

/** Whom the fleet trusts is signed although no machine is there yet to have the section. */
function needsSigning(input: ReviewInput): boolean {
  const both = wholes(input);
  return input.plan.steps.size > 0 || (both !== null && both.base.resolved.trustLeaf !== both.head.resolved.trustLeaf);
}
