import { canon } from "#base/canonical/index.ts";
import { about } from "./about.ts";
import { type Finding, sortFindings } from "./finding.ts";
import type { AnyLoaded, Loaded } from "./document.ts";
import type { FleetRepo } from "./repo.ts";
import { gateRoles } from "./roles.ts";
import type { Path } from "./yaml.ts";

/** What a valid repo asks for and this version does not do: NOT_YET at its place. A field left at its default is never named. Pure. */
export function gate(repo: FleetRepo): readonly Finding[] {
  const { fleet, machines, baselines, plugins, grants, rotations } = repo;
  const lists = [
    gateFleet(fleet),
    gateRoles(repo),
    ...machines.map(gateMachine),
    ...baselines.map(gateBaseline),
    ...plugins.map(gatePlugin),
    ...grants.map(gateGrant),
  ];
  const kinds = rotations.map((doc) => notYet(doc, ["kind"], `kind ${doc.kind}`));
  return sortFindings([...lists.flat(), ...kinds]);
}

function notYet(doc: AnyLoaded, path: Path, what: string): Finding {
  return about(doc, path, "NOT_YET", `${what}: this version does not do it`, { of: "key" });
}

/** NOT_YET for each field whose value is not the default. */
function unless(
  doc: AnyLoaded,
  base: Path,
  value: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
): readonly Finding[] {
  return Object.entries(defaults)
    .filter(([name, usual]) => canon(value[name] ?? null) !== canon(usual ?? null))
    .map(([name]) => notYet(doc, [...base, name], [...base.slice(1), name].join(".")));
}

function gateFleet(fleet: Loaded<"Fleet">): readonly Finding[] {
  const { prune, retention, freeze, notifications } = fleet.doc.spec;
  return [
    ...(prune.mode === "report" ? [notYet(fleet, ["spec", "prune", "mode"], "prune.mode report")] : []),
    ...unless(fleet, ["spec", "retention"], retention, { events: "90d", pluginLogs: "7d/500Mi", audit: "400d" }),
    ...unless(fleet, ["spec"], { freeze, notifications }, { freeze: [], notifications: [] }),
  ];
}

function gateMachine(machine: Loaded<"Machine">): readonly Finding[] {
  const { connect, enclave, availability, offlineAfter } = machine.doc.spec;
  return [
    ...unless(machine, ["spec", "connect"], { via: connect.via }, { via: "direct" }),
    ...unless(machine, ["spec", "enclave"], { driver: enclave.driver }, { driver: "software" }),
    ...unless(machine, ["spec"], { availability, offlineAfter }, { availability: "always", offlineAfter: "24h" }),
  ];
}

function gateBaseline(baseline: Loaded<"Baseline">): readonly Finding[] {
  return Object.entries(baseline.doc.spec)
    .filter(([name, value]) => name !== "machines" && value !== undefined)
    .map(([name]) => notYet(baseline, ["spec", name], name));
}

function gatePlugin(plugin: Loaded<"Plugin">): readonly Finding[] {
  const { source, verify, allowDowngradeTo, assets, run, network, rollout } = plugin.doc.spec;
  const { npm, oci, path } = source;
  const defaults = { canary: 1, maxUnavailable: "10%", partitions: [], soak: "10m", onFailure: "rollback" };
  return [
    ...unless(plugin, ["spec", "source"], { npm, oci, path }, { npm: null, oci: null, path: null }),
    ...unless(plugin, ["spec", "verify"], { keyless: verify.keyless }, { keyless: null }),
    ...unless(plugin, ["spec"], { allowDowngradeTo, assets }, { allowDowngradeTo: null, assets: [] }),
    ...unless(plugin, ["spec", "run"], run, { mode: "lobster", health: null, limits: null, state: null, session: "none" }),
    ...unless(plugin, ["spec", "network"], network, { allow: [] }),
    ...unless(plugin, ["spec", "rollout"], rollout, defaults),
  ];
}

function gateGrant(grant: Loaded<"SecretGrant">): readonly Finding[] {
  const gateway = unless(grant, ["spec"], { gateway: grant.doc.spec.gateway }, { gateway: null });
  const entries = grant.doc.spec.secrets.flatMap((entry, i) =>
    unless(grant, ["spec", "secrets", i], { delivery: entry.delivery }, { delivery: "fd" }),
  );
  return [...gateway, ...entries];
}
