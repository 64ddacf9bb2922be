import { countSteps, type GroupStep, type SourceLine, sourceText, uniqueLines } from "#plan/index.ts";
import { hasErrors } from "#reconciler/desired/index.ts";
import type { MachineId } from "#schemas/wire/index.ts";
import type { Review } from "../review/index.ts";

/** Something of a machine that is taken away or stopped for a moment, over all machines where that happens. */
export type Effect = {
  readonly key: string;
  /** "restarts", "stops", "is removed", "touches sshd". */
  readonly what: string;
  readonly machines: readonly MachineId[];
  readonly because: readonly SourceLine[];
};

const LINES = 4;

/** Sections that go from machines that stay, and those that are disrupted; of both, what goes first. A machine that leaves is a deletion of its own.
 *  Pure. */
export function effectsOf({ plan }: Pick<Review, "plan">): readonly Effect[] {
  const found = new Map<string, { key: string; what: string; machines: MachineId[]; because: SourceLine[] }>();
  for (const { machines, change, steps } of plan.groups) {
    if (change === "gone") continue;
    for (const step of steps) {
      const what = effectOf(step);
      if (what === null) continue;
      const id = `${step.key}\n${what}`;
      const known = found.get(id);
      if (known === undefined) found.set(id, { key: step.key, what, machines: [...machines], because: [...step.because] });
      else {
        for (const machine of machines) known.machines.push(machine);
        if (known.because.length < LINES) known.because.push(...step.because);
      }
    }
  }
  const all = [...found.values()].map((item) => ({ ...item, because: uniqueLines(item.because).slice(0, LINES) }));
  const rank = ({ what }: Effect): number => (what === "stops" ? 0 : what === "is removed" ? 1 : 2);
  return all.toSorted((a, b) => rank(a) - rank(b));
}

/** What a grant or an account loses stands under access. */
function effectOf({ key, verb, disrupts }: GroupStep): string | null {
  if (/^(?:grant|account)\//.test(key)) return null;
  if (verb === "remove") return key.startsWith("plugin/") ? "stops" : "is removed";
  if (!disrupts) return null;
  return key === "sshd" ? "touches sshd" : "restarts";
}

/** "3 additions, 12 changes, 1 deletion, 12 disruptions on 12 machines". Pure. */
export function totals({ plan, findings }: Pick<Review, "plan" | "findings">): string {
  if (plan.steps.size === 0 && hasErrors(findings)) return "no plan before the errors are gone";
  const { add, change, remove, disrupt } = countSteps(plan);
  const parts = [count(add, "addition"), count(change, "change"), count(remove, "deletion"), count(disrupt, "disruption")];
  return plan.steps.size === 0 ? "no machine changes" : `${parts.join(", ")} on ${count(plan.steps.size, "machine")}`;
}

/** Whose rules judged, and what came of it; null where nobody wrote any. Pure. */
export function policyWords({ policies }: Pick<Review, "policies">): readonly string[] {
  const { from, judgedByBase, evaluated, denied, approvals } = policies;
  if (evaluated === 0 && denied === 0 && !judgedByBase) return [];
  const whose = from === "base" ? "the policies of the base" : "its own policies: there is no base";
  return [
    `judged by ${whose}: ${count(evaluated, "check")}, ${denied} denied`,
    ...(judgedByBase ? ["it touches policies, trust or grants: rules that it brings judge only after the merge"] : []),
    ...approvals.map(({ policy, owners, count: needed, signed = [] }) =>
      signed.length < needed
        ? `${policy} asks for ${needed} of ${owners.join(", ")}${signed.length === 0 ? "" : `; signed: ${signed.join(", ")}`}`
        : `${policy} is approved by ${signed.join(", ")}`,
    ),
  ];
}

/** Policies with hundreds of owners say so in a line. Pure. */
export function someOf(items: readonly string[], max: number): string {
  const shown = items.slice(0, max).join(", ");
  return items.length > max ? `${shown} and ${items.length - max} more` : shown;
}

export const placeOf: (line: SourceLine) => string = sourceText;

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** Eight digits of a commit say enough; a name stays as it is. Pure. */
export function shortRevision(revision: string): string {
  return /^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 8) : revision;
}
