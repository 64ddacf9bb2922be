/** The changes under examples/pull-requests, each a folder with head/ (and base/) laid over base/, which is laid over the golden fleet. A file named `x.gone`
 *  takes x away. They are reviewed as if the base were release 8, signed by all it needs. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { linesOf } from "#cli/report/print.ts";
import type { RenderOptions } from "#cli/report/index.ts";
import { type Looked, reviewOf } from "#cli/review/index.ts";
import { changedLines } from "#cli/review/changed-lines.ts";
import type { ReleaseView } from "#cli/review/release.ts";
import { planOf } from "#cli/review/review-of.ts";
import { newSideCache, readSide, type Side } from "#cli/review/side.ts";
import { VERSION } from "#cli/version.ts";
import type { FleetPlan } from "#plan/index.ts";
import { filesOf } from "#reconciler/desired/index.ts";
import { type Judged, judgePolicies } from "#reconciler/policy/index.ts";
import { COMMIT } from "#test/policy/support.ts";
import { goldenTree, readTree, type Tree } from "#test/support/fleet-tree.ts";

export const EXAMPLES = join(import.meta.dirname, "../../examples/pull-requests");

export function exampleNames(): readonly string[] {
  const entries = readdirSync(EXAMPLES, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && entry.name !== "base").map(({ name }) => name);
}

export async function exampleReview(name: string): Promise<Looked & { readonly form: RenderOptions }> {
  const fleet = laidOver(goldenTree(), join(EXAMPLES, "base"));
  const trees = ["base", "head"].map((side) => laidOver(fleet, join(EXAMPLES, name, side)));
  const cache = newSideCache();
  const base = await readSide("1f0c3a9e".padEnd(40, "0"), filesOf(trees[0]!), cache, VERSION);
  const head = await readSide("8d2b7e41".padEnd(40, "0"), filesOf(trees[1]!), cache, VERSION);
  const plan = planOf(base, head);
  const review = reviewOf({
    base,
    head,
    plan,
    changed: await changedLines(base.files, head.files),
    release: head.whole === null ? null : releasedAs8(base, plan),
    policies: await judged(base, head, plan),
    confirmedBy: [],
    live: null,
    pr: 42,
  });
  return { review, base, head, form: { lineOf: await linesOf({ review, head }) } };
}

function laidOver(fleet: Tree, dir: string): Tree {
  const over = existsSync(dir) ? readTree(dir) : {};
  const gone = Object.keys(over)
    .filter((path) => path.endsWith(".gone"))
    .map((path) => path.slice(0, -".gone".length));
  const all = Object.entries({ ...fleet, ...over });
  return Object.fromEntries(all.filter(([path]) => !path.endsWith(".gone") && !gone.includes(path)));
}

/** Nobody has signed the change; each role that it touches lacks its threshold. */
function releasedAs8({ whole }: Side, plan: FleetPlan): ReleaseView {
  const { roles } = whole!.repo.fleet.doc.spec.trust;
  return {
    state: { at: "open", serial: null, inForce: 8, verified: true },
    missing: plan.roles.map((role) => {
      const { principals, threshold } = roles[role];
      return { role, classes: [], have: [], need: threshold, principals };
    }),
    signed: () => [],
    needsTouch: (role) => roles[role].touch === "required",
    head: null,
  };
}

async function judged(base: Side, head: Side, plan: FleetPlan): Promise<Judged> {
  if (base.whole !== null && head.whole !== null)
    return judgePolicies({ base: base.whole.repo, head: head.whole.repo, plan, commit: COMMIT });
  return { findings: [], summary: { from: "base", judgedByBase: false, evaluated: 0, denied: 0, approvals: [] } };
}
