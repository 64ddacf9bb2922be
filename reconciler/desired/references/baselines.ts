import { about, placeIn, spot } from "../about.ts";
import { baselinesFor, mergeBaselines } from "../baseline.ts";
import type { Finding } from "../finding.ts";
import type { FleetRepo } from "../repo.ts";

/** No machine gets one field from two baselines that disagree. */
export function* checkBaselines({ machines, baselines }: FleetRepo): Generator<Finding> {
  const seen = new Set<string>();
  const reported = new Set<string>();
  for (const machine of machines) {
    const selected = baselinesFor(baselines, machine.doc.metadata.labels);
    const group = selected.map((item) => item.name).join();
    if (selected.length < 2 || seen.has(group)) continue;
    seen.add(group);
    for (const { field, first, second } of mergeBaselines(selected).conflicts) {
      const here = placeIn(second.from, second.path);
      const there = placeIn(first.from, first.path);
      const id = `${spot(here)} ${spot(there)}`;
      if (reported.has(id)) continue;
      reported.add(id);
      const message = `spec.${field} of machine ${machine.name} is set differently at ${spot(there)} and ${spot(here)}`;
      yield about(second.from, second.path, "BASELINE_CONFLICT", message, {
        also: [there, placeIn(machine, ["metadata", "labels"], "key")],
      });
    }
  }
}
