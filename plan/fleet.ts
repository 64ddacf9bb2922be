import { canon, type Json } from "#base/canonical/index.ts";
import type { MachineId, Section, SectionKey, Step } from "#schemas/wire/index.ts";
import { accessWords, detailsOf, differences } from "./details.ts";
import { byText, type Desired, kindOf, planMachine } from "./diff.ts";
import { explain } from "./explain.ts";
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

/** One step of a group of machines, in words. `because` holds the lines of all of them. */
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

const ROLE_OF: Readonly<Record<string, RoleName>> = {
  trust: "root",
  grant: "access",
  account: "access",
  sshd: "access",
  secret: "secrets",
};
const ROLE_ORDER: readonly RoleName[] = ["root", "release", "access", "secrets"];

/** What merging `head` changes against `base` (null = nothing before), from git alone. Pure; equal inputs give equal plans. */
export function planFleet(base: FleetOutcome | null, head: FleetOutcome): FleetPlan {
  const names = [...new Set([...(base?.machines.keys() ?? []), ...head.machines.keys()])].sort(byText);
  const steps = new Map<MachineId, readonly Step[]>();
  const groups = new Map<string, { group: Group; lines: Map<string, readonly SourceLine[]> }>();
  const widens = new Map<string, Widening>();
  for (const machine of names) {
    const [before, after] = [base?.machines.get(machine), head.machines.get(machine)];
    const own = planMachine(after ?? { index: [], sections: [] }, { index: before?.index ?? [], drifted: new Map() });
    if (own.length === 0) continue;
    steps.set(machine, own);
    const worded = wordSteps(own, sectionsByKey(before), sectionsByKey(after));
    const { because } = explain(
      own,
      (key) => head.sources(machine, key),
      (key) => base?.sources(machine, key) ?? [],
    );
    addToGroup(groups, machine, before === undefined ? "new" : after === undefined ? "gone" : "changed", worded, because);
    for (const step of worded) for (const what of step.widens) addWidening(widens, machine, step.key, what);
  }
  return {
    fleet: head.fleet,
    steps,
    groups: [...groups.values()].map(withLines),
    widens: [...widens.values()],
    roles: rolesOf(steps, base === null),
    hub: hubLines(base?.hub?.(), head.hub?.()),
  };
}

type Worded = {
  readonly key: string;
  readonly verb: Step["verb"];
  readonly disrupts: boolean;
  readonly details: readonly string[];
  readonly widens: readonly string[];
};

function wordSteps(steps: readonly Step[], before: ReadonlyMap<string, Section>, after: ReadonlyMap<string, Section>): readonly Worded[] {
  return steps.map(({ key, verb, disrupts }) => {
    const [old, now] = [before.get(key) ?? null, after.get(key) ?? null];
    return { key, verb, disrupts, details: detailsOf(old, now), widens: accessWords(old, now) };
  });
}

function sectionsByKey(desired: Desired | undefined): ReadonlyMap<string, Section> {
  return new Map((desired?.index ?? []).map(([key], i) => [key, desired!.sections[i]!]));
}

type Building = Map<string, { group: Group; lines: Map<string, readonly SourceLine[]> }>;

function addToGroup(
  groups: Building,
  machine: MachineId,
  change: Group["change"],
  worded: readonly Worded[],
  because: ReadonlyMap<string, readonly SourceLine[]>,
): void {
  const isOne = change === "new" || change === "gone"; // a machine's own key would set each apart
  const steps = worded.map(({ key, verb, disrupts, details }) => ({
    key,
    verb,
    disrupts,
    details: isOne && key === "identity" ? [] : details,
    because: [],
  }));
  const id = canon([change, steps]);
  const found = groups.get(id);
  const group = { machines: [...(found?.group.machines ?? []), machine], change, steps };
  const lines = found?.lines ?? new Map<string, readonly SourceLine[]>();
  for (const [key, own] of because) lines.set(key, [...(lines.get(key) ?? []), ...own]);
  groups.set(id, { group, lines });
}

function withLines({ group, lines }: { readonly group: Group; readonly lines: ReadonlyMap<string, readonly SourceLine[]> }): Group {
  const unique = (list: readonly SourceLine[]): readonly SourceLine[] => [
    ...new Map(list.map((item) => [`${item.file}:${item.line}`, item])).values(),
  ];
  return { ...group, steps: group.steps.map((step) => ({ ...step, because: unique(lines.get(step.key) ?? []) })) };
}

function addWidening(widens: Map<string, Widening>, machine: MachineId, key: string, what: string): void {
  const id = `${key}\n${what}`;
  widens.set(id, { machines: [...(widens.get(id)?.machines ?? []), machine], key, what });
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
