import { printable } from "#base/text/index.ts";
import type { FleetPlan, Group, GroupStep } from "./fleet.ts";
import { sourceText } from "./source-line.ts";

const MAX_NAMES = 6;
const MAX_LINES = 6;
const SIGN = { add: "+", change: "~", repair: "~", remove: "-" } as const;

/** The plan for people: what is taken away and disrupted can't be missed, reasons at file:line:col, access in words. Ends with a line break. */
export function planText(plan: FleetPlan): string {
  if (plan.steps.size === 0) return textOf(["0 changes", ...hubText(plan)]);
  const { add, change, remove, disrupt } = countSteps(plan);
  const lines = [
    `fleet ${plan.fleet}: ${count(add, "addition")}, ${count(change, "change")}, ${count(remove, "deletion")} on ${count(plan.steps.size, "machine")}; ${count(disrupt, "disruption")}`,
    `to be signed by: ${plan.roles.join(", ")}`,
  ];
  if (plan.widens.length > 0) {
    lines.push("", "access widens:");
    for (const { machines, what } of plan.widens) lines.push(`  ! ${what}`, `      on ${names(machines)}`);
  }
  for (const group of plan.groups) lines.push("", ...groupLines(group));
  lines.push(...hubText(plan));
  return textOf(lines);
}

/** Whoever signs reads this: no line may hold another one, or show something else than it says. */
function textOf(lines: readonly string[]): string {
  return `${lines.map(printable).join("\n")}\n`;
}

/** The plan for programs. Plain data, stable order. */
export function planJson(plan: FleetPlan): unknown {
  const { fleet, groups, widens, roles, hub } = plan;
  return { v: 1, fleet, summary: { ...countSteps(plan), machines: plan.steps.size }, roles, widens, groups, hub };
}

/** Steps over all machines by what they do; a repair counts as a change. */
export function countSteps(plan: FleetPlan): {
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  readonly disrupt: number;
} {
  const all = [...plan.steps.values()].flat();
  const of = (...verbs: readonly string[]): number => all.filter((step) => verbs.includes(step.verb)).length;
  return { add: of("add"), change: of("change", "repair"), remove: of("remove"), disrupt: all.filter((step) => step.disrupts).length };
}

function hubText({ hub }: FleetPlan): readonly string[] {
  return hub.length === 0 ? [] : ["", "hub settings (no signature needed):", ...hub.map((line) => `  ${line}`)];
}

function groupLines({ machines, change, steps }: Group): readonly string[] {
  const suffix = { new: " (new)", gone: " (leaves the fleet)", changed: "" }[change];
  return [`${names(machines)}${suffix}`, ...steps.flatMap(stepLines)];
}

function stepLines({ key, verb, disrupts, details, because }: GroupStep): readonly string[] {
  return [
    `  ${SIGN[verb]} ${key}${disrupts ? `  (${effect(key, verb)})` : ""}`,
    ...details.map((line) => `      ${line}`),
    ...becauseLines(because),
  ];
}

function effect(key: string, verb: string): string {
  if (key === "sshd") return "touches sshd";
  return verb === "remove" ? "stops it" : "restarts it";
}

function becauseLines(because: GroupStep["because"]): readonly string[] {
  if (because.length === 0) return [];
  const shown = because.slice(0, MAX_LINES).map(sourceText);
  const more = because.length > MAX_LINES ? `, and ${because.length - MAX_LINES} more` : "";
  return [`      because ${shown.join(", ")}${more}`];
}

function names(machines: readonly string[]): string {
  const shown = machines.slice(0, MAX_NAMES).join(", ");
  return machines.length > MAX_NAMES ? `${shown} and ${machines.length - MAX_NAMES} more` : shown;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
