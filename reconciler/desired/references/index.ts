import type { Finding } from "../finding.ts";
import type { FleetRepo } from "../repo.ts";
import { checkBaselines } from "./baselines.ts";
import { checkGrants, checkRotations } from "./grants.ts";
import { checkMachines } from "./machines.ts";
import { checkPlugins } from "./plugins.ts";
import { checkRoles } from "./roles.ts";
import { checkSelectors } from "./selectors.ts";
import { checkWants } from "./wants.ts";

/** What documents say about each other: names that must exist, keys that must be one machine's own, settings that must not contradict. What could
 *  not work is an error; what works and is most likely not meant is a warning. Pure. */
export function checkReferences(repo: FleetRepo): readonly Finding[] {
  return [
    ...checkRoles(repo),
    ...checkMachines(repo),
    ...checkPlugins(repo),
    ...checkGrants(repo),
    ...checkRotations(repo),
    ...checkBaselines(repo),
    ...checkSelectors(repo),
    ...checkWants(repo),
  ];
}
