import { canon, canonBytes, type Digest, digestOf } from "#base/canonical/index.ts";
import { classOfKind, type Index, keyOf, leafOf, leafOfText } from "#proof/root/index.ts";
import type { Desired, FleetId, GrantSection, MachineId, Section, SectionKey, TrustSection } from "#schemas/wire/index.ts";
import type { HubView, SourceLine } from "#plan/index.ts";
import { baselinesFor, mergeBaselines } from "./baseline.ts";
import type { Loaded } from "./document.ts";
import { byText } from "./finding.ts";
import { type HubSettings, hubSettings, hubView } from "./hub-settings.ts";
import type { FleetRepo } from "./repo.ts";
import {
  baselineSections,
  grantName,
  grantSection,
  identitySection,
  nameOfRef,
  pluginSection,
  secretSection,
  trustSection,
} from "./sections.ts";
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

type Entry = {
  readonly key: string;
  readonly leaf: Digest;
  /** Both, as an index has them: one for all machines that share the section. */
  readonly row: Index[number];
  readonly section: Section;
  readonly of: string;
};

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
  const slotsOf = slotsByLabels(repo, trustEntry, { ...sharedEntries(repo), kept: keptEntries(cache) });
  const machines = new Map<MachineId, ResolvedMachine>();
  for (const machine of repo.machines)
    machines.set(machine.name as MachineId, resolveMachine(machine, slotsOf(machine.doc.metadata.labels)));
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
    return entryWith(first.entry.key, leafOfText(`${before}"key":"${key}"${after}`), section);
  };
}

/** A place in a machine's list: a section that it shares, or one that its key goes into. */
type Slot = { readonly key: string; readonly of: string; readonly entryFor: (machine: Loaded<"Machine">, key: Digest) => Entry };
/** What machines have in common that every selector takes alike. Slots are sorted by key. */
type Slots = { readonly slots: readonly Slot[]; readonly classes: readonly string[] };

/** Slots by labels; only labels that a selector of the repo names tell machines apart. */
function slotsByLabels(repo: FleetRepo, trust: Entry, shared: Shared): (labels: Labels) => Slots {
  const names = selectorLabels(repo);
  const known = new Map<string, Slots>();
  return (labels) => {
    const id = JSON.stringify(names.map((name) => (Object.hasOwn(labels, name) ? labels[name] : null)));
    let slots = known.get(id);
    if (slots === undefined) known.set(id, (slots = slotsFor(labels, trust, shared)));
    return slots;
  };
}

function selectorLabels({ baselines, plugins, grants }: FleetRepo): readonly string[] {
  const selectors = [
    ...[...baselines, ...plugins, ...grants].map(({ doc }) => doc.spec.machines),
    ...plugins.flatMap(({ doc }) => doc.spec.overrides.map(({ machines }) => machines)),
  ];
  return [...new Set(selectors.flatMap((item) => (item === "all" ? [] : Object.keys(item.labels))))].sort();
}

function slotsFor(labels: Labels, trust: Entry, shared: Shared): Slots {
  const plugins = shared.plugins(labels);
  const slots = [trust, ...shared.baselines(labels), ...plugins.values()].map(slotOf);
  const secrets = new Map<string, Entry>();
  for (const grant of shared.grants(labels)) {
    const { plugin, secrets: list } = grant.doc.spec;
    if (plugin !== undefined && !plugins.has(plugin)) continue; // a grant reaches only machines that run its plugin
    for (const [i, item] of list.entries()) {
      slots.push(grantSlot(grant, i, shared));
      const secret = shared.secret(nameOfRef(item.ref));
      if (secret !== undefined) secrets.set(secret.key, secret);
    }
  }
  slots.push(...[...secrets.values()].map(slotOf));
  const classes = [...new Set(["machines", ...slots.map((slot) => slot.of)])].filter((name) => name !== "trust").sort();
  const id = classes.join();
  slots.push({
    key: "identity",
    of: "machines",
    entryFor: (machine) => shared.kept(machine.doc, id, () => entryOf(identitySection(machine, classes))),
  });
  return { slots: slots.sort((a, b) => byText(a.key, b.key)), classes };
}

function slotOf(entry: Entry): Slot {
  return { key: entry.key, of: entry.of, entryFor: () => entry };
}

function grantSlot(grant: Loaded<"SecretGrant">, i: number, shared: Shared): Slot {
  const entryFor: Slot["entryFor"] = (_machine, key) => shared.kept(grant.doc, `${i} ${key}`, () => shared.grantEntry(grant, i, key));
  return { key: `grant/${grantName(grant, i)}`, of: classOfKind("grant"), entryFor };
}

function resolveMachine(machine: Loaded<"Machine">, { slots, classes }: Slots): ResolvedMachine {
  const key = digestOf(machine.doc.spec.enclave.kx);
  const entries = slots.map(({ entryFor }) => entryFor(machine, key));
  return { sections: entries.map((entry) => entry.section), index: entries.map((entry) => entry.row), classes };
}

function entryOf(section: Section): Entry {
  return entryWith(keyOf(section), leafOf(section), section);
}

function entryWith(key: string, leaf: Digest, section: Section): Entry {
  return { key, leaf, row: [key, leaf], section, of: classOfKind(section.kind) };
}
