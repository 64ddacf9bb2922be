import type { Json } from "#base/canonical/index.ts";
import type { MachineId, Section, SectionKey, Step } from "#schemas/wire/index.ts";
import { accessWords, detailsOf, differences } from "./details.ts";
import { byText, type Desired, kindOf, planMachine } from "./diff.ts";
import type { SourceLine } from "./source-line.ts";

/** The resolved outcome of one revision, as far as a plan needs it. */
export type FleetOutcome = {
  readonly fleet: string;
  readonly machines: ReadonlyMap<MachineId, Desired>;
  sources(machine: MachineId, key: SectionKey): readonly SourceLine[];
  /** What only the hub acts on: signed by nobody, so a plan shows it beside the steps. */
  readonly hub?: () => HubView;
};

export type HubView = {
  readonly settings: Json;
  readonly machines: ReadonlyMap<string, Json>;
  readonly plugins: ReadonlyMap<string, Json>;
};

/** One step of a group of machines, in words. `because` holds the lines that ask for it on the first of them. */
export type GroupStep = {
  readonly key: string;
  readonly verb: Step["verb"];
  readonly disrupts: boolean;
  readonly details: readonly string[];
  readonly because: readonly SourceLine[];
};

/** Machines for which the change reads the same. */
export type Group = {
  readonly machines: readonly MachineId[];
  readonly change: "new" | "gone" | "changed";
  readonly steps: readonly GroupStep[];
};

/** Something that may be used by more than before: what the role `access` is asked to look at. */
export type Widening = { readonly machines: readonly MachineId[]; readonly key: string; readonly what: string };

export type RoleName = "root" | "release" | "access" | "secrets";

export type FleetPlan = {
  readonly fleet: string;
  readonly steps: ReadonlyMap<MachineId, readonly Step[]>;
  readonly groups: readonly Group[];
  readonly widens: readonly Widening[];
  /** Roles whose sections change; `release` whenever anything does, since it signs every release. */
  readonly roles: readonly RoleName[];
  /** Settings that only the hub acts on, a line each. */
  readonly hub: readonly string[];
};

/** Kind of a section → who signs it; every other kind is the role release's. */
export const ROLE_OF: Readonly<Record<string, RoleName>> = {
  trust: "root",
  grant: "access",
  account: "access",
  sshd: "access",
  secret: "secrets",
};
export const ROLE_ORDER: readonly RoleName[] = ["root", "release", "access", "secrets"];

/** What merging `head` changes against `base` (null = nothing before), from git alone. Groups come in the order in which they hurt: machines that leave,
 *  then removals, then disruptions, then the rest, each by name. Pure; equal inputs give equal plans. */
export function planFleet(base: FleetOutcome | null, head: FleetOutcome): FleetPlan {
  const names = [...new Set([...(base?.machines.keys() ?? []), ...head.machines.keys()])].sort(byText);
  const steps = new Map<MachineId, readonly Step[]>();
  const groups: Building = new Map();
  const widens: Widenings = new Map();
  const wordsOf = rememberedWords();
  for (const machine of names) {
    const [before, after] = [base?.machines.get(machine), head.machines.get(machine)];
    if (before !== undefined && after !== undefined && isSameIndex(before.index, after.index)) continue;
    const own = planMachine(after ?? { index: [], sections: [] }, { index: before?.index ?? [], drifted: new Map() });
    if (own.length === 0) continue;
    steps.set(machine, own);
    const worded = wordsOf(own, before, after);
    addToGroup(groups, machine, before === undefined ? "new" : after === undefined ? "gone" : "changed", worded);
    for (const step of worded) for (const what of step.widens) addWidening(widens, machine, step.key, what);
  }
  return {
    fleet: head.fleet,
    steps,
    groups: [...groups.values()].map((group) => withLines(group, base, head)).sort((a, b) => hurtOf(a) - hurtOf(b)),
    widens: [...widens.values()],
    roles: rolesOf(steps, base === null),
    hub: hubLines(base?.hub?.(), head.hub?.()),
  };
}

function isSameIndex(a: Desired["index"], b: Desired["index"]): boolean {
  return a === b || (a.length === b.length && a.every(([key, leaf], i) => b[i]![0] === key && b[i]![1] === leaf));
}

function hurtOf({ change, steps }: Group): number {
  if (change === "gone") return 0;
  if (steps.some(({ verb }) => verb === "remove")) return 1;
  return steps.some(({ disrupts }) => disrupts) ? 2 : 3;
}

type Worded = {
  readonly key: string;
  readonly verb: Step["verb"];
  readonly disrupts: boolean;
  readonly details: readonly string[];
  readonly widens: readonly string[];
};

/** Most machines go from and to the same leaves, so each pair of them is put in words once. */
function rememberedWords(): (steps: readonly Step[], before: Desired | undefined, after: Desired | undefined) => readonly Worded[] {
  const known = new Map<string, Worded>();
  return (steps, before, after) => {
    const [old, now] = [sectionsByKey(before), sectionsByKey(after)];
    return steps.map((step) => {
      const id = `${step.key} ${step.verb} ${step.disrupts} ${step.before ?? ""} ${step.after ?? ""}`;
      let worded = known.get(id);
      if (worded === undefined) known.set(id, (worded = wordsOf(step, old(step.key), now(step.key))));
      return worded;
    });
  };
}

function wordsOf({ key, verb, disrupts }: Step, old: Section | null, now: Section | null): Worded {
  return { key, verb, disrupts, details: detailsOf(old, now), widens: accessWords(old, now) };
}

/** Sections by key, sorted out at the first question. */
function sectionsByKey(desired: Desired | undefined): (key: string) => Section | null {
  let sections: ReadonlyMap<string, Section> | undefined;
  return (key) => {
    sections ??= new Map((desired?.index ?? []).map(([own], i) => [own, desired!.sections[i]!]));
    return sections.get(key) ?? null;
  };
}

type GroupOf = { readonly machines: MachineId[]; readonly change: Group["change"]; readonly worded: readonly Worded[] };
type Building = Map<string, GroupOf>;

function addToGroup(groups: Building, machine: MachineId, change: Group["change"], own: readonly Worded[]): void {
  const isOne = change === "new" || change === "gone"; // a machine's own key would set each apart
  const worded = isOne ? own.map((step) => (step.key === "identity" ? { ...step, details: [] } : step)) : own;
  const id = [change, ...worded.flatMap(({ key, verb, disrupts, details }) => [`${verb} ${key} ${disrupts}`, ...details])].join("\n");
  const found = groups.get(id);
  if (found === undefined) groups.set(id, { machines: [machine], change, worded });
  else found.machines.push(machine);
}

// Of a group of a thousand machines the lines of a few say it: they read the same.
const MACHINES_WITH_LINES = 8;

function withLines({ machines, change, worded }: GroupOf, base: FleetOutcome | null, head: FleetOutcome): Group {
  const shown = machines.slice(0, MACHINES_WITH_LINES);
  const steps = worded.map(({ key, verb, disrupts, details }): GroupStep => {
    const asked = verb === "remove" ? base : head;
    const lines = shown.flatMap((machine) => asked?.sources(machine, key as SectionKey) ?? []);
    return { key, verb, disrupts, details, because: uniqueLines(lines) };
  });
  return { machines, change, steps };
}

/** Each line once, in the order of their first mention. */
export function uniqueLines(lines: readonly SourceLine[]): readonly SourceLine[] {
  return [...new Map(lines.map((item) => [`${item.file}:${item.line}`, item])).values()];
}

type Widenings = Map<string, { readonly machines: MachineId[]; readonly key: string; readonly what: string }>;

function addWidening(widens: Widenings, machine: MachineId, key: string, what: string): void {
  const id = `${key}\n${what}`;
  const found = widens.get(id);
  if (found === undefined) widens.set(id, { machines: [machine], key, what });
  else found.machines.push(machine);
}

/** The trust section is one for the whole fleet, so a machine that gets it or loses it changes nothing about trust. */
function rolesOf(steps: ReadonlyMap<MachineId, readonly Step[]>, isFirst: boolean): readonly RoleName[] {
  const roles = new Set<RoleName>();
  for (const { key, verb } of [...steps.values()].flat()) {
    if (key === "trust" && verb !== "change" && !isFirst) continue;
    const role = ROLE_OF[kindOf(key)] ?? "release";
    roles.add(role);
    if (role !== "secrets") roles.add("release"); // versions of secrets have a document of their own
  }
  return ROLE_ORDER.filter((role) => roles.has(role));
}

/** Differences of the hub's settings; machines and plugins that come or go say so by their steps. */
function hubLines(before: HubView | undefined, after: HubView | undefined): readonly string[] {
  if (before === undefined || after === undefined) return [];
  const lines = [...differences(before.settings, after.settings, "fleet")];
  for (const group of ["machines", "plugins"] as const) {
    for (const [name, now] of after[group]) {
      const old = before[group].get(name);
      if (old !== undefined) lines.push(...differences(old, now, `${group}/${name}`));
    }
  }
  return lines;
}
