import { canon, canonBytes, type Digest, digestOf } from "#base/canonical/index.ts";
import { classOfKind, type Index, keyOf, leafOf, leafOfText } from "#proof/root/index.ts";
import type { Desired, FleetId, GrantSection, MachineId, Section, SectionKey, TrustSection } from "#schemas/wire/index.ts";
import type { HubView, SourceLine } from "#plan/index.ts";
import { baselinesFor, mergeBaselines } from "./baseline.ts";
import type { Loaded } from "./document.ts";
import { byText } from "./finding.ts";
import { type HubSettings, hubSettings, hubView } from "./hub-settings.ts";
import type { FleetRepo } from "./repo.ts";
import { baselineSections, grantSection, identitySection, nameOfRef, pluginSection, secretSection, trustSection } from "./sections.ts";
import { isSelected } from "./select.ts";
import { sourcesOf } from "./sources.ts";

/** One machine's desired state. `sections` and `index` are sorted by key; most entries are shared with other machines. */
export type ResolvedMachine = { readonly sections: readonly Section[]; readonly index: Index; readonly classes: readonly string[] };

/** What a revision asks of every machine: what people sign (roots), what agents get (sections), what only the hub acts on (hubSettings). */
export type Resolved = {
  readonly fleet: FleetId;
  readonly trust: TrustSection;
  readonly trustLeaf: Digest;
  readonly machines: ReadonlyMap<MachineId, ResolvedMachine>;
  /** Lines that ask for a section on a machine; empty when nothing does. */
  sources(machine: MachineId, key: SectionKey): readonly SourceLine[];
  readonly hubSettings: HubSettings;
  /** The same as a plan compares it. */
  readonly hub: () => HubView;
};

type Entry = { readonly key: string; readonly leaf: Digest; readonly section: Section; readonly of: string };

/** Sections that depend on a machine's own key, by the document they come from: two trees that share a document share its sections. Kept by the caller
 *  like a LoadCache; what no tree holds any more goes by itself. */
export type ResolveCache = WeakMap<object, Map<string, Entry>>;

export function newResolveCache(): ResolveCache {
  return new WeakMap();
}

/** Sections of every machine of a fleet. Pure; the same repo gives the same bytes, whatever the order of files or lists. */
export function resolve(repo: FleetRepo, cache: ResolveCache = newResolveCache()): Resolved {
  const trust = trustSection(repo);
  const trustEntry = entryOf(trust);
  const shared = { ...sharedEntries(repo), kept: keptEntries(cache) };
  const machines = new Map<MachineId, ResolvedMachine>();
  for (const machine of repo.machines) machines.set(machine.name as MachineId, resolveMachine(machine, trustEntry, shared));
  const settings = hubSettings(repo);
  return {
    fleet: repo.fleet.name as FleetId,
    trust,
    trustLeaf: trustEntry.leaf,
    machines,
    sources: sourcesOf(repo),
    hubSettings: settings,
    hub: () => hubView(settings),
  };
}

/** The document a machine gets and its canonical bytes, which travel. */
export function desiredOf(resolved: Resolved, machine: MachineId): { readonly desired: Desired; readonly bytes: Uint8Array } {
  const found = resolved.machines.get(machine);
  if (found === undefined) throw new Error(`no machine ${machine}`);
  const desired: Desired = { v: 1, fleet: resolved.fleet, machine, sections: found.sections };
  return { desired, bytes: canonBytes(desired) };
}

type Shared = {
  baselines(labels: Labels): readonly Entry[];
  plugins(labels: Labels): ReadonlyMap<string, Entry>;
  grants(labels: Labels): readonly Loaded<"SecretGrant">[];
  secret(name: string): Entry | undefined;
  grantEntry(grant: Loaded<"SecretGrant">, i: number, key: Digest): Entry;
  /** The entry under `id` of a document, made at the first question. */
  kept(doc: object, id: string, make: () => Entry): Entry;
};
type Labels = Readonly<Record<string, string>>;

/** Entries that do not depend on the machine, each computed once. */
function sharedEntries(repo: FleetRepo): Omit<Shared, "kept"> {
  const baselines = new Map<string, readonly Entry[]>();
  const plugins = new Map<string, Entry>();
  const secrets = new Map(repo.secrets.map((item) => [item.name, entryOf(secretSection(item))]));
  return {
    baselines(labels) {
      const selected = baselinesFor(repo.baselines, labels);
      const group = selected.map((item) => item.name).join();
      let entries = baselines.get(group);
      if (entries === undefined) baselines.set(group, (entries = baselineSections(mergeBaselines(selected)).map(entryOf)));
      return entries;
    },
    plugins(labels) {
      const found = new Map<string, Entry>();
      for (const plugin of repo.plugins.filter((item) => isSelected(item.doc.spec.machines, labels))) {
        const override = plugin.doc.spec.overrides.findIndex((item) => isSelected(item.machines, labels));
        const id = `${plugin.name} ${override}`;
        let entry = plugins.get(id);
        if (entry === undefined) plugins.set(id, (entry = entryOf(pluginSection(plugin, override < 0 ? null : override, repo))));
        found.set(plugin.name, entry);
      }
      return found;
    },
    grants: (labels) => repo.grants.filter((item) => isSelected(item.doc.spec.machines, labels)),
    secret: (name) => secrets.get(name),
    grantEntry: grantEntries(),
  };
}

function keptEntries(cache: ResolveCache): Shared["kept"] {
  return (doc, id, make) => {
    let entries = cache.get(doc);
    if (entries === undefined) cache.set(doc, (entries = new Map()));
    let entry = entries.get(id);
    if (entry === undefined) entries.set(id, (entry = make()));
    return entry;
  };
}

/** Sections of one entry of a grant differ in the machine's key alone, so the canonical text is written once and the key put in: a fleet has more of these
 *  than of all others together. */
function grantEntries(): Shared["grantEntry"] {
  const written = new Map<string, { readonly entry: Entry; readonly section: GrantSection; readonly text: readonly string[] }>();
  return (grant, i, key) => {
    const id = `${grant.name} ${i}`;
    let first = written.get(id);
    if (first === undefined) {
      const section = grantSection(grant, i, key);
      first = { entry: entryOf(section), section, text: canon(section).split(`"key":"${key}"`) };
      written.set(id, first);
    }
    const [before, after, ...more] = first.text;
    const section = { ...first.section, key };
    if (after === undefined || more.length > 0) return entryOf(section);
    return { ...first.entry, section, leaf: leafOfText(`${before}"key":"${key}"${after}`) };
  };
}

function resolveMachine(machine: Loaded<"Machine">, trust: Entry, shared: Shared): ResolvedMachine {
  const labels = machine.doc.metadata.labels;
  const plugins = shared.plugins(labels);
  const entries = [trust, ...shared.baselines(labels), ...plugins.values()];
  const secrets = new Map<string, Entry>();
  const key = digestOf(machine.doc.spec.enclave.kx);
  for (const grant of shared.grants(labels)) {
    const { plugin, secrets: list } = grant.doc.spec;
    if (plugin !== undefined && !plugins.has(plugin)) continue; // a grant reaches only machines that run its plugin
    for (const [i, item] of list.entries()) {
      entries.push(shared.kept(grant.doc, `${i} ${key}`, () => shared.grantEntry(grant, i, key)));
      const secret = shared.secret(nameOfRef(item.ref));
      if (secret !== undefined) secrets.set(secret.key, secret);
    }
  }
  entries.push(...secrets.values());
  const classes = [...new Set(["machines", ...entries.map((entry) => entry.of)])].filter((name) => name !== "trust").sort();
  entries.push(shared.kept(machine.doc, classes.join(), () => entryOf(identitySection(machine, classes))));
  entries.sort((a, b) => byText(a.key, b.key));
  return { sections: entries.map((entry) => entry.section), index: entries.map(({ key, leaf }) => [key, leaf] as const), classes };
}

function entryOf(section: Section): Entry {
  return { key: keyOf(section), leaf: leafOf(section), section, of: classOfKind(section.kind) };
}
