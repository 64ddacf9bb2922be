import { about, placeIn } from "../about.ts";
import type { Loaded } from "../document.ts";
import type { Finding } from "../finding.ts";
import type { FleetRepo } from "../repo.ts";
import type { Path } from "../yaml.ts";

/** A machine's keys are its own, and files only where the fleet allows it. */
export function* checkMachines({ fleet, machines }: FleetRepo): Generator<Finding> {
  const seen = new Map<string, { readonly machine: Loaded<"Machine">; readonly path: Path }>();
  for (const machine of machines) {
    const { kx, sig, driver } = machine.doc.spec.enclave;
    for (const [field, key] of [
      ["kx", kx],
      ["sig", sig],
    ] as const) {
      const path: Path = ["spec", "enclave", field];
      const other = seen.get(key);
      if (other !== undefined)
        yield about(machine, path, "FLEET_FIELD_INVALID", `the same key as machine ${other.machine.name} (${other.machine.file})`, {
          rule: "machine-key-shared",
          fix: "each machine has its own keys: run `openclaw-lobster init` there",
          also: [placeIn(other.machine, other.path)],
        });
      seen.set(key, { machine, path });
    }
    if (driver === "software" && !fleet.doc.spec.allowSoftwareKeys)
      yield about(machine, ["spec", "enclave", "driver"], "SOFTWARE_KEYS_REFUSED", `machine ${machine.name}: its keys are only files`);
  }
}
