import { isKnownIssuer } from "#proof/sigstore/workflow-identity.ts";
import { HUB_PRINCIPAL } from "#proof/sshsig/index.ts";
import { about } from "./about.ts";
import type { Finding } from "./finding.ts";
import type { FleetRepo } from "./repo.ts";

type Roles = FleetRepo["fleet"]["doc"]["spec"]["trust"]["roles"];

/** What keeps a role of spec.trust.roles from being signed by whom it names: fields of another mode, a workflow without trusted root, a hub without key
 *  or without a rule who may commit. Pure. */
export function gateRoles({ fleet, trust }: Pick<FleetRepo, "fleet" | "trust">): readonly Finding[] {
  const { roles, actions } = fleet.doc.spec.trust;
  const at = (path: readonly (string | number)[], message: string, code: "ROLE_REFUSED" | "NOT_YET" = "ROLE_REFUSED"): Finding =>
    about(fleet, ["spec", "trust", ...path], code, message, { of: "key" });
  const found = (Object.keys(roles) as (keyof Roles)[]).flatMap((name) => {
    const role = roles[name];
    if (role.by === "people") return peopleFaults(role).map((why) => at(["roles", name], `role ${name}: ${why}`));
    const faults = role.by === "ci" ? ciFaults(role, trust) : hubFaults(role, trust, fleet.doc.spec.trust.commits.require);
    const issuer = "identity" in role ? role.identity?.issuer : undefined;
    const foreign = role.by === "ci" && issuer !== undefined && !isKnownIssuer(issuer);
    return [
      ...faults.map((why) => at(["roles", name], `role ${name}: ${why}`)),
      ...(foreign ? [at(["roles", name, "identity", "issuer"], "issuer: workflows of this forge do not sign yet", "NOT_YET")] : []),
    ];
  });
  const statements = actions.flatMap(({ principals }, i) =>
    principals.includes(HUB_PRINCIPAL) ? [at(["actions", i], "the hub signs no statements")] : [],
  );
  return [...found, ...statements];
}

function peopleFaults({ principals, ...role }: Roles["root"] | Roles["release"]): readonly string[] {
  return [
    ...(principals.includes(HUB_PRINCIPAL) ? ["hub is the hub's own principal; a person needs another name"] : []),
    ...("identity" in role && role.identity !== undefined ? ["identity belongs to by: ci"] : []),
  ];
}

function ciFaults({ identity, ...role }: Roles["release"], { trustedRoot }: FleetRepo["trust"]): readonly string[] {
  return [
    ...nobodyElse(role, "ci"),
    ...(identity === undefined ? ["by: ci needs the identity of the workflow"] : []),
    ...(trustedRoot === null ? ["by: ci needs the file of spec.trust.bundles.trustedRoot"] : []),
  ];
}

/** Without a rule for commits whoever can push would sign releases, through the hub. */
function hubFaults(role: Roles["release"], { keys }: FleetRepo["trust"], require: string): readonly string[] {
  return [
    ...nobodyElse(role, "hub"),
    ...(role.identity === undefined ? [] : ["identity belongs to by: ci"]),
    ...(keys[HUB_PRINCIPAL] === undefined
      ? ["by: hub needs the hub's key in trust/allowed_signers (`mooring hub-key` prints the line)"]
      : []),
    ...(require === "none" ? ["by: hub needs spec.trust.commits.require: every or head, or whoever can push signs releases"] : []),
  ];
}

function nobodyElse(
  { principals, threshold, touch }: Pick<Roles["release"], "principals" | "threshold" | "touch">,
  by: string,
): readonly string[] {
  return principals.length === 0 && threshold === 1 && touch === "optional" ? [] : [`by: ${by} takes no principals, threshold or touch`];
}
