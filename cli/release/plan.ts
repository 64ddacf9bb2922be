import { timeOf } from "#base/time/index.ts";
import { planFleet, planJson } from "#plan/index.ts";
import { demandOutcome, type Deps, mainOr, openFleet, type ReadOutcome, type SourceOptions } from "../fleet/open.ts";
import { revisionOf } from "../fleet/revision.ts";
import type { Out } from "../io.ts";
import { type Case, caseOf } from "./case.ts";
import { claimedStanding, type Standing, standingOf } from "./standing.ts";
import { caseText } from "./words.ts";

export type PlanOptions = SourceOptions & {
  readonly base?: string | undefined;
  readonly head?: string | undefined;
  readonly output: "text" | "json";
};

/** `mooring plan`: what `head` changes against what is released (or against `base`), who has to sign it and whether a release covers it. Signs and
 *  changes nothing. Exit code 2 when there are changes. */
export async function plan(options: PlanOptions, out: Out, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  const now = timeOf(deps.clock());
  const head = await demandOutcome(fleet, options.head === undefined ? fleet.main : await revisionOf(fleet, options.head));
  const main = await mainOr(fleet, head);
  const branch = await fleet.branchFor(head.resolved.fleet);
  const isPinned = options.trustRoot !== undefined || fleet.remembered !== null;
  const standing = isPinned ? await standingOf(fleet, branch, main) : await claimedStanding(fleet, branch, main);
  const item = caseOf({ outcome: head, standing, branch, now });
  const base = options.base === undefined ? null : await demandOutcome(fleet, await revisionOf(fleet, options.base));
  const shown = base === null ? item : { ...item, plan: planFleet(base.resolved, head.resolved) };
  if (options.output === "json") out.write(`${JSON.stringify(jsonOf(shown, standing, base, isPinned), null, 2)}\n`);
  else
    out.write(
      `${caseText(shown, options.head ?? "main", now)}${isPinned ? "" : "(releases judged by main's own trust section: pass --trust-root to check them)\n"}`,
    );
  return shown.plan.steps.size > 0 ? 2 : 0;
}

function jsonOf(item: Case, standing: Standing, base: ReadOutcome | null, verified: boolean): unknown {
  const { serial, expires } = item.head.release.doc;
  return {
    ...(planJson(item.plan) as object),
    base: base?.revision ?? standing.inForce?.commit ?? null,
    head: item.outcome.revision,
    inForce: standing.inForce?.release.release.doc.serial ?? null,
    release: { serial, expires, covers: item.missing.length === 0, missing: item.missing },
    verified,
  };
}
