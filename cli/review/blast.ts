import type { FleetPlan } from "#plan/index.ts";
import type { FleetRepo, Resolved } from "#reconciler/desired/index.ts";
import type { Blast } from "./review.ts";

type Whole = { readonly repo: FleetRepo; readonly resolved: Resolved };

/** Of each plugin that a change touches: on how many machines of each of its rollout partitions, out of how many that have it before or after. Machines in
 *  no named partition count under "". Partitions in the order of the rollout, plugins by name. Pure. */
export function blastOf(base: Whole | null, head: Whole, plan: FleetPlan): readonly Blast[] {
  const touched = touchedPlugins(plan);
  const rows: Blast[] = [];
  const holders = holdersOf([base, head], touched);
  for (const [name, machines] of [...touched].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const plugin = head.repo.plugins.find((item) => item.name === name) ?? base?.repo.plugins.find((item) => item.name === name);
    const partitions = plugin?.doc.spec.rollout.partitions ?? [];
    const placeOf = partitionOf(base, head, partitions);
    const all = count(holders.get(name) ?? [], placeOf);
    const hit = count(machines, placeOf);
    for (const partition of [...partitions, ""]) {
      const of = all.get(partition) ?? 0;
      if ((hit.get(partition) ?? 0) > 0) rows.push({ plugin: name, partition, machines: hit.get(partition)!, of });
    }
  }
  return rows;
}

function touchedPlugins(plan: FleetPlan): ReadonlyMap<string, readonly string[]> {
  const touched = new Map<string, string[]>();
  for (const [machine, steps] of plan.steps) {
    for (const { key } of steps) {
      if (!key.startsWith("plugin/")) continue;
      const name = key.slice("plugin/".length);
      const machines = touched.get(name);
      if (machines === undefined) touched.set(name, [machine]);
      else machines.push(machine);
    }
  }
  return touched;
}

/** Machines that have each of these plugins on any side. */
function holdersOf(sides: readonly (Whole | null)[], plugins: ReadonlyMap<string, unknown>): ReadonlyMap<string, ReadonlySet<string>> {
  const holders = new Map<string, Set<string>>([...plugins.keys()].map((name) => [name, new Set()]));
  for (const side of sides) {
    for (const [machine, { index }] of side?.resolved.machines ?? [])
      for (const [key] of index) if (key.startsWith("plugin/")) holders.get(key.slice("plugin/".length))?.add(machine);
  }
  return holders;
}

/** The first partition, written `label=value`, that takes a machine by its labels; a machine that leaves has those of the base. */
function partitionOf(base: Whole | null, head: Whole, partitions: readonly string[]): (machine: string) => string {
  if (partitions.length === 0) return () => "";
  const labels = new Map([...(base?.repo.machines ?? []), ...head.repo.machines].map(({ name, doc }) => [name, doc.metadata.labels]));
  return (machine) =>
    partitions.find((partition) => {
      const at = partition.indexOf("=");
      return labels.get(machine)?.[partition.slice(0, at)] === partition.slice(at + 1);
    }) ?? "";
}

function count(machines: Iterable<string>, placeOf: (machine: string) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const machine of new Set(machines)) counts.set(placeOf(machine), (counts.get(placeOf(machine)) ?? 0) + 1);
  return counts;
}
