import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DemoFailure } from "./wait.ts";
import type { Person } from "./operator.ts";
import { must } from "./run.ts";
import type { Stage } from "./stage.ts";

/** The first of `people` runs `mooring release`, the others too: the command adds a signature to the document that waits. Gives the time at which the
 *  last signature reached the repository (performance.now), by the clock of its file: the command itself ends later. */
export async function release({ operator }: Stage, people: readonly Person[]): Promise<number> {
  for (const person of people) await operator.mustMooring(["release", "--source", operator.url, ...operator.as(person), "--yes"]);
  const { mtimeMs } = await stat(join(operator.bare, "refs/heads/mooring/releases"));
  return performance.now() - (Date.now() - mtimeMs);
}

export type Plan = { readonly steps: number; readonly roles: readonly string[]; readonly lines: readonly string[] };

type PlanJson = {
  readonly summary: { readonly add: number; readonly change: number; readonly remove: number };
  readonly roles: readonly string[];
};

/** What main changes against what is released, as `mooring plan` says it. */
export async function planOf({ operator }: Stage): Promise<Plan> {
  const words = ["plan", "--source", operator.url];
  const [json, text] = [await operator.mooring([...words, "-o", "json"]), await operator.mooring(words)];
  if (json.code !== 2) throw new DemoFailure(`mooring plan found no change (exit code ${json.code}):\n${json.stderr}${json.stdout}`);
  const { summary, roles } = JSON.parse(json.stdout) as PlanJson;
  const lines =
    text.stdout
      .split(/\n\nrelease \d+ for /)[0]
      ?.split("\n")
      .filter((line) => line.trim() !== "" && !line.includes("because")) ?? [];
  return { steps: summary.add + summary.change + summary.remove, roles, lines };
}

/** How many people signed the newest statement on the releases branch. */
export async function statementSigners({ operator }: Stage): Promise<number> {
  const list = await must("git", ["--git-dir", operator.bare, "ls-tree", "-r", "--name-only", "mooring/releases", "statements/"]);
  return list.split("\n").filter((path) => path.endsWith(".sig")).length;
}
