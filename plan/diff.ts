import { type Digest, isJsonObject } from "#base/canonical/index.ts";
import type { Section, Step } from "#schemas/wire/index.ts";

/** Keys and leaves, sorted by key. */
export type Index = readonly (readonly [key: string, leaf: Digest])[];

/** What is asked of one machine. */
export type Desired = { readonly index: Index; readonly sections: readonly Section[] };

/** What is there. The keys of `index` are the inventory: what we put there, and the only things a plan may remove. `drifted` holds, for each
 *  drifted section, the leaf it should have. */
export type Live = { readonly index: Index; readonly drifted: ReadonlyMap<string, Digest> };

/** Steps that turn `live` into `desired`; empty when there is no drift. Pure, never throws; ordered (trust first, plugins after what they depend
 *  on, removals last), so equal inputs give byte-equal plans. Prunes only what is in the live inventory. A drifted plugin whose `drift` is
 *  warn or ignore gets no repair. */
export function planMachine(desired: Desired, live: Live): readonly Step[] {
  const have = new Map(live.index);
  const want = new Map(desired.index);
  const tolerant = new Set(
    desired.sections.flatMap((item) => (item.kind === "plugin" && item.drift !== "correct" ? [`plugin/${item.name}`] : [])),
  );
  const steps: Step[] = [];
  for (const [key, after] of desired.index) {
    const before = have.get(key);
    if (before === undefined) steps.push(stepOf(key, "add", null, after));
    else if (live.drifted.get(key) === after) {
      if (!tolerant.has(key)) steps.push(stepOf(key, "repair", before, after));
    } else if (before !== after) steps.push(stepOf(key, "change", before, after));
  }
  const gone = live.index.filter(([key]) => !want.has(key)).map(([key, before]) => stepOf(key, "remove", before, null));
  const rank = ranks(desired.sections);
  const byRank = (a: Step, b: Step): number => rank(a.key) - rank(b.key) || byText(a.key, b.key);
  return [...steps.sort(byRank), ...gone.sort((a, b) => byRank(b, a))];
}

function stepOf(key: string, verb: Step["verb"], before: Digest | null, after: Digest | null): Step {
  const kind = kindOf(key);
  const disrupts = kind === "sshd" || (kind === "plugin" && verb !== "add");
  return { key, verb, before, after, disrupts };
}

/** Keys come first to last in this order: what is trusted, who the machine is, what everything stands on, plugins, what they may use. */
const ORDER = ["trust", "agent", "identity", "openclaw", "sshd", "account", "posture", "plugin", "grant", "secret", "revoked"];
const PLUGIN = ORDER.indexOf("plugin");

function ranks(sections: readonly Section[]): (key: string) => number {
  const depth = pluginDepths(sections);
  return (key) => {
    const place = ORDER.indexOf(kindOf(key));
    return place === PLUGIN ? PLUGIN + (depth.get(key) ?? 0) : place;
  };
}

/** How deep each plugin stands in `dependsOn`, scaled into 0..1; a circle (refused by the loader) ends where it began. */
function pluginDepths(sections: readonly Section[]): ReadonlyMap<string, number> {
  const needs = new Map(sections.flatMap((item) => (item.kind === "plugin" ? [[item.name as string, dependsOn(item.run)] as const] : [])));
  const depths = new Map<string, number>();
  const depthOf = (name: string, open: ReadonlySet<string>): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const path = new Set([...open, name]);
    const below = (needs.get(name) ?? []).filter((other) => needs.has(other) && !path.has(other));
    const depth = below.length === 0 ? 0 : 1 + Math.max(...below.map((other) => depthOf(other, path)));
    depths.set(name, depth);
    return depth;
  };
  return new Map([...needs.keys()].sort(byText).map((name) => [`plugin/${name}`, depthOf(name, new Set()) / (needs.size + 1)]));
}

function dependsOn(run: unknown): readonly string[] {
  const list = isJsonObject(run as never) ? (run as { dependsOn?: unknown }).dependsOn : undefined;
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
}

export function kindOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
