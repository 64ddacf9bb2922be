import type { Json } from "#base/canonical/index.ts";
import type { FleetRepo } from "../desired/index.ts";
import type { CommitInfo, PlanOfChange } from "./input.ts";
import type { Shared } from "./program.ts";
import { type Changed, plain } from "./subjects.ts";

/** What expressions read as `fleet`, `plan` and `commit`. Pure. */
export function sharedOf(head: FleetRepo, plan: PlanOfChange, commit: CommitInfo, changes: readonly Changed[]): Shared {
  return { fleet: fleetOf(head), plan: planOf(head, plan, changes), commit: { ...commit } };
}

function fleetOf({ fleet, machines, plugins, rotations, trust }: FleetRepo): Json {
  const signers = Object.entries(trust.keys).map(([principal, keys]): [string, Json] => [
    principal,
    { keys: keys.length, hardware: keys.filter(({ key }) => key.startsWith("sk-")).length },
  ]);
  return {
    name: fleet.name,
    spec: plain(fleet.doc.spec),
    machines: machines.length,
    plugins: plugins.map(({ name }) => name),
    rotations: rotations.map(({ doc }) => plain(doc)),
    signers: Object.fromEntries(signers),
  };
}

function planOf(head: FleetRepo, { steps, groups, widens, roles }: PlanOfChange, changes: readonly Changed[]): Json {
  const machinesOf = (change: "new" | "gone"): number =>
    groups.filter((group) => group.change === change).reduce((sum, { machines }) => sum + machines.length, 0);
  const disrupted = [...steps.values()].filter((own) => own.some(({ disrupts }) => disrupts)).length;
  const count = (action: Changed["action"]): number => changes.filter((item) => item.action === action).length;
  const deletions: Record<string, number> = {};
  for (const { action, doc } of changes) if (action === "delete") deletions[doc.kind] = (deletions[doc.kind] ?? 0) + 1;
  return {
    machines: { total: head.machines.length, changed: steps.size, added: machinesOf("new"), removed: machinesOf("gone") },
    documents: { created: count("create"), updated: count("update"), deleted: count("delete") },
    deletions,
    disrupted,
    widened: widens.length,
    roles: [...roles],
  };
}
