import { type Finding, finding } from "./finding.ts";
import { baselinesFor, mergeBaselines } from "./baseline.ts";
import type { AnyLoaded, Loaded } from "./document.ts";
import type { FleetRepo } from "./repo.ts";
import { isSelected } from "./select.ts";
import { nearest } from "./suggest.ts";
import type { Path } from "./yaml.ts";

/** What documents say about each other: names that must exist, keys that must be one machine's own, settings that must not contradict. Pure. */
export function checkReferences(repo: FleetRepo): readonly Finding[] {
  return [
    ...checkRoles(repo),
    ...checkMachines(repo),
    ...checkPlugins(repo),
    ...checkGrants(repo),
    ...checkRotations(repo),
    ...checkBaselines(repo),
    ...checkIdle(repo),
  ];
}

function at(doc: AnyLoaded, path: Path, code: Finding["code"], message: string, fix?: string): Finding {
  return finding(code, doc.file, doc.locate(path), message, fix);
}

function missing(doc: AnyLoaded, path: Path, what: string, name: string, names: readonly string[]): Finding {
  const suggestion = nearest(name, names);
  return at(
    doc,
    path,
    "FLEET_REFERENCE_MISSING",
    `there is no ${what} of this name`,
    suggestion === null ? undefined : `did you mean \`${suggestion}\`?`,
  );
}

function* checkRoles({ fleet, trust }: FleetRepo): Generator<Finding> {
  const { roles, actions } = fleet.doc.spec.trust;
  const known = Object.keys(trust.keys);
  for (const [name, role] of Object.entries(roles)) {
    if (role.by !== "people") continue;
    const path: Path = ["spec", "trust", "roles", name];
    for (const [i, principal] of role.principals.entries())
      if (!known.includes(principal))
        yield missing(fleet, [...path, "principals", i], "principal with a release key in allowed_signers", principal, known);
    if (new Set(role.principals).size < role.threshold)
      yield at(fleet, path, "FLEET_FIELD_INVALID", `role ${name} has fewer principals than its threshold`);
    if (role.touch === "required") yield* checkTouch(name, role, trust.keys, fleet, path);
  }
  for (const [i, rule] of actions.entries()) {
    for (const [j, principal] of rule.principals.entries())
      if (!known.includes(principal))
        yield missing(
          fleet,
          ["spec", "trust", "actions", i, "principals", j],
          "principal with a release key in allowed_signers",
          principal,
          known,
        );
  }
}

type Roles = FleetRepo["fleet"]["doc"]["spec"]["trust"]["roles"];
type Role = Roles["root"] | Roles["release"];

function* checkTouch(name: string, role: Role, keys: FleetRepo["trust"]["keys"], fleet: Loaded<"Fleet">, path: Path): Generator<Finding> {
  const able = role.principals.filter((principal) => (keys[principal] ?? []).some((key) => key.key.startsWith("sk-")));
  if (able.length < role.threshold)
    yield at(
      fleet,
      [...path, "touch"],
      "FLEET_FIELD_INVALID",
      `role ${name} requires touch, but too few of its principals have a hardware key (sk-…)`,
    );
}

function* checkMachines({ fleet, machines }: FleetRepo): Generator<Finding> {
  const seen = new Map<string, Loaded<"Machine">>();
  for (const machine of machines) {
    const { kx, sig, driver } = machine.doc.spec.enclave;
    for (const [field, key] of [
      ["kx", kx],
      ["sig", sig],
    ] as const) {
      const other = seen.get(key);
      if (other !== undefined)
        yield at(
          machine,
          ["spec", "enclave", field],
          "FLEET_FIELD_INVALID",
          `the same key as machine ${other.name} (${other.file})`,
          "each machine has its own keys: run `openclaw-lobster init` there",
        );
      seen.set(key, machine);
    }
    if (driver === "software" && !fleet.doc.spec.allowSoftwareKeys)
      yield at(machine, ["spec", "enclave", "driver"], "SOFTWARE_KEYS_REFUSED", `machine ${machine.name}: its keys are only files`);
  }
}

function* checkPlugins({ plugins, machines }: FleetRepo): Generator<Finding> {
  const names = plugins.map((item) => item.name);
  for (const plugin of plugins) {
    const { dependsOn, overrides } = plugin.doc.spec;
    for (const [i, other] of dependsOn.entries())
      if (!names.includes(other)) yield missing(plugin, ["spec", "dependsOn", i], "plugin", other, names);
    if (isInCircle(plugin.name, plugins)) yield at(plugin, ["spec", "dependsOn"], "FLEET_FIELD_INVALID", "spec.dependsOn goes in a circle");
    for (const [i, override] of overrides.entries()) {
      if ((override.version === undefined) !== (override.digest === undefined))
        yield at(plugin, ["spec", "overrides", i], "FLEET_FIELD_INVALID", "an override names version and digest together, or neither");
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
    const line = plugin.locate(["spec", "overrides", first]).line;
    yield at(
      plugin,
      ["spec", "overrides", second],
      "OVERRIDE_OVERLAP",
      `machine ${machine.name} matches this override and the one on line ${line}`,
    );
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

function* checkGrants({ grants, plugins, secrets }: FleetRepo): Generator<Finding> {
  const pluginNames = plugins.map((item) => item.name);
  const refs = secrets.map((item) => `secret://${item.name}`);
  for (const grant of grants) {
    const { plugin, secrets: entries } = grant.doc.spec;
    if (plugin !== undefined && !pluginNames.includes(plugin)) yield missing(grant, ["spec", "plugin"], "plugin", plugin, pluginNames);
    const seen = new Set<string>();
    for (const [i, entry] of entries.entries()) {
      const path: Path = ["spec", "secrets", i];
      if (!refs.includes(entry.ref)) yield missing(grant, [...path, "ref"], "secret", entry.ref, refs);
      if (seen.has(entry.ref)) yield at(grant, [...path, "ref"], "FLEET_FIELD_INVALID", "the same secret twice in one grant");
      if (entry.delivery === "resolve" && plugin !== undefined)
        yield at(grant, [...path, "delivery"], "FLEET_FIELD_INVALID", "delivery resolve is for gateway: true only");
      seen.add(entry.ref);
    }
  }
}

function* checkRotations({ rotations, secrets }: FleetRepo): Generator<Finding> {
  const refs = secrets.map((item) => `secret://${item.name}`);
  for (const rotation of rotations) {
    for (const [i, ref] of rotation.doc.spec.secrets.entries())
      if (!refs.includes(ref)) yield missing(rotation, ["spec", "secrets", i], "secret", ref, refs);
  }
}

function* checkBaselines({ machines, baselines }: FleetRepo): Generator<Finding> {
  const seen = new Set<string>();
  const reported = new Set<string>();
  for (const machine of machines) {
    const selected = baselinesFor(baselines, machine.doc.metadata.labels);
    const group = selected.map((item) => item.name).join();
    if (selected.length < 2 || seen.has(group)) continue;
    seen.add(group);
    for (const { field, first, second } of mergeBaselines(selected).conflicts) {
      const here = second.from.locate(second.path);
      const there = `${first.from.file}:${first.from.locate(first.path).line}`;
      const id = `${second.from.file}:${here.line} ${there}`;
      if (reported.has(id)) continue;
      reported.add(id);
      yield finding(
        "BASELINE_CONFLICT",
        second.from.file,
        here,
        `spec.${field} of machine ${machine.name} is set differently at ${there} and ${second.from.file}:${here.line}`,
      );
    }
  }
}

/** A selector that takes no machine is most often a misspelt label. */
function* checkIdle({ machines, plugins, grants, baselines }: FleetRepo): Generator<Finding> {
  if (machines.length === 0) return;
  for (const doc of [...plugins, ...grants, ...baselines]) {
    if (machines.some((machine) => isSelected(doc.doc.spec.machines, machine.doc.metadata.labels))) continue;
    yield { ...at(doc, ["spec", "machines"], "FLEET_UNUSED", `${doc.kind} ${doc.name} selects no machine`), level: "warning" };
  }
}
