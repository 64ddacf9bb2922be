import type { FleetPlan } from "#plan/index.ts";
import { type AnyLoaded, type FleetRepo, goneObjects, isSelected } from "#reconciler/desired/index.ts";
import type { Deletion, Rename } from "./review.ts";

/** Objects that leave the repo, with their place in the base, and those that only have another name. Pure; by kind and name. */
export function movedObjects(
  base: FleetRepo,
  head: FleetRepo,
  plan: FleetPlan,
): { readonly deletions: readonly Deletion[]; readonly renames: readonly Rename[] } {
  const { gone, renamed } = goneObjects(base, head);
  const reach = reachOf(base, plan);
  return {
    deletions: gone.map((item) => ({ kind: item.kind, name: item.name, at: placeOf(item), machines: reach(item) })),
    renames: renamed.map(({ from, to }) => ({ kind: from.kind, from: from.name, to: to.name, at: placeOf(to) })),
  };
}

function placeOf(item: AnyLoaded): Deletion["at"] {
  const { line, col } = item.locate(["metadata", "name"]);
  return { file: item.file, line, col };
}

/** On how many machines something goes with an object: itself for a machine, else those where its section is removed. */
function reachOf(base: FleetRepo, plan: FleetPlan): (item: AnyLoaded) => number {
  const removed = new Map<string, Set<string>>();
  for (const [machine, steps] of plan.steps) {
    for (const { key, verb } of steps) {
      if (verb !== "remove") continue;
      const id = idOf(key);
      const machines = removed.get(id);
      if (machines === undefined) removed.set(id, new Set([machine]));
      else machines.add(machine);
    }
  }
  return (item) => {
    if (item.kind === "Machine") return 1;
    if (item.kind === "Baseline")
      return base.machines.filter((machine) => isSelected(item.doc.spec.machines, machine.doc.metadata.labels)).length;
    return removed.get(`${item.kind} ${item.name}`)?.size ?? 0;
  };
}

/** The object that a section comes from: `grant/mail/team/db` is of the grant `mail`. */
function idOf(key: string): string {
  const [kind = "", ...rest] = key.split("/");
  if (kind === "grant") return `SecretGrant ${rest[0] ?? ""}`;
  return `${{ plugin: "Plugin", secret: "Secret" }[kind] ?? kind} ${rest.join("/")}`;
}
