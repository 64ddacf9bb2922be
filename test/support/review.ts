import type { Time } from "#base/time/index.ts";
import { changedLines } from "#cli/review/changed-lines.ts";
import { type Review, type ReviewInput, reviewOf } from "#cli/review/index.ts";
import { outcomeOfSide } from "#cli/review/read.ts";
import { releaseView } from "#cli/review/release.ts";
import { planOf } from "#cli/review/review-of.ts";
import { newSideCache, readSide } from "#cli/review/side.ts";
import { VERSION } from "#cli/version.ts";
import { filesOf } from "#reconciler/desired/index.ts";
import { NO_BRANCH } from "#reconciler/revision/index.ts";
import type { Tree } from "./fleet-tree.ts";

const NOW = "2026-11-25T10:00:00.000Z" as Time;

/** The review of going from one tree to another while nothing is released: pure, no git. `base` null = nothing before. */
export async function reviewTrees(base: Tree | null, head: Tree, more: Partial<ReviewInput> = {}): Promise<Review> {
  const cache = newSideCache();
  const before = base === null ? null : await readSide("base", filesOf(base), cache, VERSION);
  const after = await readSide("head", filesOf(head), cache, VERSION);
  const outcome = outcomeOfSide(after);
  const release =
    outcome === null
      ? null
      : await releaseView({
          head: outcome,
          base: before === null ? null : outcomeOfSide(before),
          main: none(),
          branch: NO_BRANCH,
          trustRoot: null,
          now: NOW,
        });
  return reviewOf({
    base: before,
    head: after,
    plan: planOf(before, after),
    changed: await changedLines(before?.files ?? new Map(), after.files),
    release,
    policies: { findings: [], summary: { from: "base", judgedByBase: false, evaluated: 0, denied: 0, approvals: [] } },
    confirmedBy: [],
    live: null,
    pr: null,
    ...more,
  });
}

async function* none(): AsyncGenerator<null> {}
