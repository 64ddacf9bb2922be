import { about, placeIn } from "../about.ts";
import type { Loaded } from "../document.ts";
import type { Finding } from "../finding.ts";
import type { FleetRepo } from "../repo.ts";
import { isSelected } from "../select.ts";
import { missing } from "./missing.ts";

/** Dependencies that are there and not circular; overrides that are whole and don't meet on a machine. */
export function* checkPlugins({ plugins, machines }: FleetRepo): Generator<Finding> {
  const names = plugins.map((item) => item.name);
  for (const plugin of plugins) {
    const { dependsOn, overrides } = plugin.doc.spec;
    for (const [i, other] of dependsOn.entries())
      if (!names.includes(other)) yield missing(plugin, ["spec", "dependsOn", i], "plugin", other, names);
    if (isInCircle(plugin.name, plugins))
      yield about(plugin, ["spec", "dependsOn"], "FLEET_FIELD_INVALID", "spec.dependsOn goes in a circle", { rule: "depends-circle" });
    for (const [i, override] of overrides.entries()) {
      if ((override.version === undefined) !== (override.digest === undefined))
        yield about(plugin, ["spec", "overrides", i], "FLEET_FIELD_INVALID", "an override names version and digest together, or neither", {
          rule: "override-half",
        });
    }
    yield* checkOverlap(plugin, machines);
  }
}

function* checkOverlap(plugin: Loaded<"Plugin">, machines: FleetRepo["machines"]): Generator<Finding> {
  const reported = new Set<string>();
  for (const machine of plugin.doc.spec.overrides.length < 2 ? [] : machines) {
    const hits = plugin.doc.spec.overrides.flatMap((item, i) => (isSelected(item.machines, machine.doc.metadata.labels) ? [i] : []));
    const [first, second] = hits;
    if (first === undefined || second === undefined || reported.has(`${first},${second}`)) continue;
    reported.add(`${first},${second}`);
    const there = placeIn(plugin, ["spec", "overrides", first]);
    const message = `machine ${machine.name} matches this override and the one on line ${there.line}`;
    yield about(plugin, ["spec", "overrides", second], "OVERRIDE_OVERLAP", message, {
      also: [there, placeIn(machine, ["metadata", "labels"], "key")],
    });
  }
}

function isInCircle(start: string, plugins: FleetRepo["plugins"]): boolean {
  const next = new Map(plugins.map((item) => [item.name, item.doc.spec.dependsOn]));
  const seen = new Set<string>();
  const stack = [...(next.get(start) ?? [])];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (name === start) return true;
    if (!seen.has(name)) stack.push(...(next.get(name) ?? []));
    seen.add(name);
  }
  return false;
}
