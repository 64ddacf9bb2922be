import { about } from "../about.ts";
import type { Loaded } from "../document.ts";
import type { Finding } from "../finding.ts";
import type { FleetRepo } from "../repo.ts";
import type { Path } from "../yaml.ts";
import { missing } from "./missing.ts";

const WHAT = "principal with a release key in allowed_signers";

/** Who signs: each principal has a key, and each role has enough of them. */
export function* checkRoles({ fleet, trust }: FleetRepo): Generator<Finding> {
  const { roles, actions } = fleet.doc.spec.trust;
  const known = Object.keys(trust.keys);
  for (const [name, role] of Object.entries(roles)) {
    if (role.by !== "people") continue;
    const path: Path = ["spec", "trust", "roles", name];
    for (const [i, principal] of role.principals.entries())
      if (!known.includes(principal)) yield missing(fleet, [...path, "principals", i], WHAT, principal, known);
    if (new Set(role.principals).size < role.threshold)
      yield about(fleet, path, "FLEET_FIELD_INVALID", `role ${name} has fewer principals than its threshold`, { rule: "role-threshold" });
    if (role.touch === "required") yield* checkTouch(name, role, trust.keys, fleet, path);
  }
  for (const [i, rule] of actions.entries()) {
    for (const [j, principal] of rule.principals.entries())
      if (!known.includes(principal)) yield missing(fleet, ["spec", "trust", "actions", i, "principals", j], WHAT, principal, known);
  }
}

type Roles = FleetRepo["fleet"]["doc"]["spec"]["trust"]["roles"];
type Role = Roles["root"] | Roles["release"];

function* checkTouch(name: string, role: Role, keys: FleetRepo["trust"]["keys"], fleet: Loaded<"Fleet">, path: Path): Generator<Finding> {
  const able = role.principals.filter(
    (principal) => Object.hasOwn(keys, principal) && keys[principal]!.some((key) => key.key.startsWith("sk-")),
  );
  if (able.length >= role.threshold) return;
  const message = `role ${name} requires touch, but too few of its principals have a hardware key (sk-…)`;
  yield about(fleet, [...path, "touch"], "FLEET_FIELD_INVALID", message, { rule: "role-touch" });
}
