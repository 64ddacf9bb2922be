import { planFleet } from "#plan/index.ts";
import { demandFleet, filesOf, type FleetRepo, loadFleet, resolve } from "#reconciler/desired/index.ts";
import { type CommitInfo, type Judged, judgePolicies, type Limits, openEngine } from "#reconciler/policy/index.ts";
import type { Time } from "#base/time/index.ts";
import type { Tree } from "#test/support/fleet-tree.ts";

export const COMMIT: CommitInfo = {
  id: "0".repeat(40),
  author: "A <a@acme.dev>",
  time: "2026-11-25T10:00:00.000Z" as Time,
  signed: false,
  signer: null,
};

export async function repoOf(tree: Tree): Promise<FleetRepo> {
  return demandFleet(await loadFleet(filesOf(tree)));
}

/** Judges the change from one tree to another, as the plan and the hub do. */
export async function judge(base: Tree | null, head: Tree, limits: Partial<Limits> = {}, preview = false): Promise<Judged> {
  const [before, after] = [base === null ? null : await repoOf(base), await repoOf(head)];
  const plan = planFleet(before === null ? null : resolve(before), resolve(after));
  return judgePolicies({ base: before, head: after, plan, commit: COMMIT, preview }, openEngine(limits));
}

/** A policy document of one validation, or of the whole spec that is given. */
export function policyText(name: string, spec: string): string {
  return `apiVersion: mooring/v1\nkind: Policy\nmetadata: { name: ${name} }\nspec:\n${spec
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n")}\n`;
}
