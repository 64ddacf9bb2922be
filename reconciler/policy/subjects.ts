import { canon, isJsonObject, type Json, memberOf } from "#base/canonical/index.ts";
import type { Selector } from "#schemas/fleet/index.ts";
import { type AnyLoaded, type FleetRepo, isSelected, type Loaded } from "../desired/index.ts";
import { attachedFields } from "./attached.ts";
import type { Subject } from "./program.ts";

export type Action = "create" | "update" | "delete" | "keep";

/** One document of a change. `doc` = as it is in the head, for one that is deleted as it was in the base. */
export type Changed = {
  readonly action: Action;
  readonly doc: AnyLoaded;
  readonly before: AnyLoaded | null;
  /** The machines that it reaches. */
  readonly reach: () => Reach;
  /** JSON Pointers of what differs. */
  readonly fields: readonly string[];
};

type Machines = readonly Loaded<"Machine">[];
export type Reach = {
  readonly before: Machines;
  readonly after: Machines;
  /** Those of `after` as the base has them: a change may take a label off a machine and reach it at once. */
  readonly were: Machines;
  readonly gained: number;
  readonly lost: number;
};

/** Every document of head and base with what happened to it, in one order for equal inputs. A document that reaches more machines than before is
 *  updated, too, whatever gave it the reach: its own selector, a label, a new machine. So is a Baseline that a machine loses and stays: what hardens it
 *  goes. Pure. */
export function changesBetween(base: FleetRepo | null, head: FleetRepo): readonly Changed[] {
  const olds = new Map(documentsOf(base).map((doc) => [idOf(doc), doc]));
  const areMachinesSame = base !== null && labelsKey(base) === labelsKey(head);
  const attached = base === null ? null : attachedFields(base, head);
  const were = machinesByName(base);
  const changed = documentsOf(head).map((doc): Changed => {
    const before = olds.get(idOf(doc)) ?? null;
    olds.delete(idOf(doc));
    const found = before === null || before.text === doc.text ? [] : differences(plain(before.doc), plain(doc.doc), "");
    const fields = before === null ? [] : [...new Set([...found, ...(attached?.(doc, before) ?? [])])];
    const reach = once(() => reachOf(doc, before, base, head, were));
    const moves = (): boolean => !areMachinesSame && doc.kind !== "Machine" && (reach().gained > 0 || isLifted(doc, reach(), head));
    return { action: before === null ? "create" : fields.length > 0 || moves() ? "update" : "keep", doc, before, fields, reach };
  });
  const gone = [...olds.values()].map((doc): Changed => {
    return { action: "delete", doc, before: doc, fields: [], reach: once(() => reachOf(null, doc, base, head, were)) };
  });
  return [...changed, ...gone];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function documentsOf(repo: FleetRepo | null): readonly AnyLoaded[] {
  if (repo === null) return [];
  const { fleet, machines, baselines, plugins, secrets, grants, rotations, policies } = repo;
  return [fleet, ...machines, ...baselines, ...plugins, ...secrets, ...grants, ...rotations, ...policies];
}

/** There is one Fleet, whatever it is called. */
function idOf(doc: AnyLoaded): string {
  return doc.kind === "Fleet" ? "Fleet" : `${doc.kind} ${doc.name}`;
}

/** Whether the change is about policies, trust or grants: who may judge, sign or use secrets. */
export function touchesRules(changes: readonly Changed[]): boolean {
  return changes.some(({ action, doc, fields }) => {
    if (action === "keep") return false;
    if (doc.kind === "Policy" || doc.kind === "SecretGrant") return true;
    return doc.kind === "Fleet" && fields.some((field) => field.startsWith("/spec/trust") || field === "/trust");
  });
}

function labelsKey({ machines }: FleetRepo): string {
  return JSON.stringify(machines.map(({ name, doc }) => [name, doc.metadata.labels]));
}

function machinesByName(repo: FleetRepo | null): ReadonlyMap<string, Loaded<"Machine">> {
  return new Map(repo?.machines.map((machine) => [machine.name, machine]));
}

function reachOf(
  doc: AnyLoaded | null,
  old: AnyLoaded | null,
  base: FleetRepo | null,
  head: FleetRepo,
  known: ReadonlyMap<string, Loaded<"Machine">>,
): Reach {
  const [after, before] = [reachIn(doc, head), reachIn(old, base)];
  const were = after.flatMap(({ name }) => known.get(name) ?? []);
  return { before, after, were, gained: countNew(after, before), lost: countNew(before, after) };
}

/** Whether a machine that stays in the fleet loses this baseline. */
function isLifted({ kind }: AnyLoaded, { before, after }: Reach, head: FleetRepo): boolean {
  if (kind !== "Baseline") return false;
  const [left, has] = [new Set(head.machines.map(({ name }) => name)), new Set(after.map(({ name }) => name))];
  return before.some(({ name }) => left.has(name) && !has.has(name));
}

function countNew(machines: Machines, than: Machines): number {
  const known = new Set(than.map(({ name }) => name));
  return machines.filter(({ name }) => !known.has(name)).length;
}

function reachIn(doc: AnyLoaded | null, repo: FleetRepo | null): Machines {
  if (doc === null || repo === null) return [];
  if (doc.kind === "Machine") return [doc];
  const selector = selectorOf(doc);
  return selector === null ? [] : repo.machines.filter(({ doc: { metadata } }) => isSelected(selector, metadata.labels));
}

function selectorOf(doc: AnyLoaded): Selector | null {
  return doc.kind === "Plugin" || doc.kind === "Baseline" || doc.kind === "SecretGrant" ? doc.doc.spec.machines : null;
}

/** What expressions read of one document. */
export function subjectOf({ action, doc, before, reach, fields }: Changed, head: FleetRepo, base: FleetRepo | null): Subject {
  const isGone = action === "delete";
  const { gained, lost, ...machines } = reach();
  return {
    object: isGone ? null : plain(doc.doc),
    oldObject: before === null ? null : plain(before.doc),
    change: {
      action,
      destructive: isGone || lost > 0,
      fields: [...fields],
      machines: { before: machines.before.length, after: machines.after.length, gained, lost },
    },
    machine: doc.kind === "Machine" ? plain(doc.doc) : null,
    plugin: pluginOf(doc, isGone ? base : head),
    grant: doc.kind === "SecretGrant" ? plain(doc.doc) : null,
  };
}

function pluginOf(doc: AnyLoaded, repo: FleetRepo | null): Json {
  if (doc.kind === "Plugin") return plain(doc.doc);
  if (doc.kind !== "SecretGrant") return null;
  const found = repo?.plugins.find(({ name }) => name === doc.doc.spec.plugin);
  return found === undefined ? null : plain(found.doc);
}

/** A document as JSON: fields that were left out and have no default are not there, so has() tells. */
export function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** JSON Pointers of what differs: the deepest maps' members, lists as a whole item by item. */
function differences(before: Json | undefined, after: Json | undefined, at: string): readonly string[] {
  if (before === undefined || after === undefined) return before === after ? [] : [at];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, i) => differences(before[i] as Json | undefined, after[i] as Json | undefined, `${at}/${i}`)).flat();
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => differences(memberOf(before, name), memberOf(after, name), `${at}/${pointerStep(name)}`));
  }
  return canon(before) === canon(after) ? [] : [at];
}

/** RFC 6901 §3. */
export function pointerStep(name: string | number): string {
  return String(name).replaceAll("~", "~0").replaceAll("/", "~1");
}
