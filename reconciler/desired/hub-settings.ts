import type { Digest, Json } from "#base/canonical/index.ts";
import type { HubView } from "#plan/index.ts";
import { type PluginLock, secondsOf } from "#schemas/fleet/index.ts";
import type { MachineId } from "#schemas/wire/index.ts";
import type { Loaded } from "./document.ts";
import { lockPath } from "./lock.ts";
import { ageFilePath, type FleetRepo } from "./repo.ts";

type FleetSpec = Loaded<"Fleet">["doc"]["spec"];
type PluginSpec = Loaded<"Plugin">["doc"]["spec"];
type MachineSpec = Loaded<"Machine">["doc"]["spec"];

/** Where a bundle comes from. `source` names one place; `{version}` in it is filled in. */
export type BundleSource = {
  readonly plugin: string;
  readonly version: string;
  readonly source: PluginSpec["source"];
  readonly lock: PluginLock;
};

export type MachineLink = MachineSpec["connect"] & {
  readonly hostKeys: readonly string[];
  readonly availability: MachineSpec["availability"];
  readonly offlineAfterSeconds: number;
  readonly labels: Readonly<Record<string, string>>;
};

/** What only the hub acts on: in no root, signed by nobody. */
export type HubSettings = {
  readonly requires: string;
  readonly intervalSeconds: number;
  readonly commits: FleetSpec["trust"]["commits"];
  readonly allowSoftwareKeys: boolean;
  readonly prune: FleetSpec["prune"];
  readonly freeze: FleetSpec["freeze"];
  readonly retention: FleetSpec["retention"];
  readonly notifications: FleetSpec["notifications"];
  readonly links: ReadonlyMap<MachineId, MachineLink>;
  readonly rollouts: ReadonlyMap<string, PluginSpec["rollout"]>;
  readonly bundles: ReadonlyMap<Digest, BundleSource>;
  /** Path of the age file with this digest. */
  readonly ageFiles: ReadonlyMap<Digest, string>;
  readonly rotations: readonly Loaded<"RotationPolicy">["doc"][];
  readonly policies: readonly Loaded<"Policy">["doc"][];
};

/** The hub's own settings out of a repo. Pure. */
export function hubSettings(repo: FleetRepo): HubSettings {
  const { requires, interval, trust, allowSoftwareKeys, prune, freeze, retention, notifications } = repo.fleet.doc.spec;
  return {
    requires,
    intervalSeconds: secondsOf(interval),
    commits: trust.commits,
    allowSoftwareKeys,
    prune,
    freeze,
    retention,
    notifications,
    links: new Map(repo.machines.map((item) => [item.name as MachineId, linkOf(item)])),
    rollouts: new Map(repo.plugins.map((item) => [item.name, item.doc.spec.rollout])),
    bundles: bundlesOf(repo),
    ageFiles: ageFilesOf(repo),
    rotations: repo.rotations.map((item) => item.doc),
    policies: repo.policies.map((item) => item.doc),
  };
}

/** The settings as a plan compares them: plain data, without what steps already show (bundles, age files, labels). */
export function hubView(hub: HubSettings): HubView {
  const { links, rollouts, bundles: _bundles, ageFiles: _ageFiles, ...settings } = hub;
  return {
    settings: plain(settings),
    machines: new Map([...links].map(([name, { labels: _labels, ...link }]) => [name, plain(link)])),
    plugins: new Map([...rollouts].map(([name, rollout]) => [name, plain({ rollout })])),
  };
}

/** Documents hold undefined where a field without default was left out; JSON does not. */
function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function linkOf(machine: Loaded<"Machine">): MachineLink {
  const { connect, hostKeys, availability, offlineAfter } = machine.doc.spec;
  return { ...connect, hostKeys, availability, offlineAfterSeconds: secondsOf(offlineAfter), labels: machine.doc.metadata.labels };
}

function bundlesOf(repo: FleetRepo): ReadonlyMap<Digest, BundleSource> {
  const bundles = new Map<Digest, BundleSource>();
  for (const plugin of repo.plugins) {
    const { spec } = plugin.doc;
    const pins = [
      { version: spec.version, isOverride: false },
      ...spec.overrides.flatMap(({ version }) => (version === undefined ? [] : [{ version, isOverride: true }])),
    ];
    for (const { version, isOverride } of pins) {
      const lock = repo.locks.get(lockPath(plugin.name, version, isOverride));
      if (lock !== undefined) bundles.set(lock.digest, { plugin: plugin.name, version, source: filled(spec.source, version), lock });
    }
  }
  return bundles;
}

function filled(source: PluginSpec["source"], version: string): PluginSpec["source"] {
  const given = Object.entries(source).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(given.map(([kind, text]) => [kind, text.replaceAll("{version}", version)]));
}

function ageFilesOf(repo: FleetRepo): ReadonlyMap<Digest, string> {
  const files = new Map<Digest, string>();
  for (const secret of repo.secrets) {
    for (const entry of Object.values(secret.doc.spec.versions)) files.set(entry.digest as Digest, ageFilePath(secret, entry.file));
  }
  return files;
}
