import type { Digest } from "#base/canonical/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { keyOf, leafOf } from "#proof/root/index.ts";
import { type Desired, digest, type PluginSection, pluginId, type Section } from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import { pluginNamed } from "./sections.ts";

const hold = z.strictObject({ plugin: pluginId, leaf: digest, reason: z.string() });
/** A plugin section that did not come up here: it is not tried again until a release asks for another one. */
export type Hold = z.infer<typeof hold>;

export type HoldBook = {
  readonly all: () => readonly Hold[];
  /** Durable when it resolves. */
  readonly add: (sections: readonly PluginSection[], reason: string) => Promise<void>;
  /** Forgets holds on sections that `desired` no longer asks for. */
  readonly prune: (desired: Desired) => Promise<void>;
};

export async function openHoldBook(path: string): Promise<HoldBook> {
  const bytes = await readIfThere(path);
  let holds: readonly Hold[] = bytes === null ? [] : z.parse(z.array(hold), JSON.parse(new TextDecoder().decode(bytes)));
  const set = async (next: readonly Hold[]): Promise<void> => {
    if (JSON.stringify(next) === JSON.stringify(holds)) return;
    await writeDurable(path, JSON.stringify(next));
    holds = next;
  };
  return {
    all: () => holds,
    add: (sections, reason) => set([...holds, ...sections.map((section) => ({ plugin: section.name, leaf: leafOf(section), reason }))]),
    prune: (desired) => set(holds.filter((each) => asksFor(desired, each))),
  };
}

/** `wanted`, but each held plugin as `before` has it, or not at all where `before` has none. Everything else is as wanted: trust, grants,
 *  revocations, secrets and hardening never go back. Pure. */
export function withHolds(
  wanted: Desired,
  holds: readonly Hold[],
  before: Desired | null,
): { readonly desired: Desired; readonly held: readonly Hold[] } {
  const held = holds.filter((each) => asksFor(wanted, each));
  if (held.length === 0) return { desired: wanted, held };
  const names = new Set<string>(held.map((each) => each.plugin));
  const kept: readonly Section[] = wanted.sections.filter((section) => section.kind !== "plugin" || !names.has(section.name));
  const old = before === null ? [] : [...names].map((name) => pluginNamed(before, name)).filter((section) => section !== null);
  const bad = new Set<Digest>(held.map((each) => each.leaf));
  const sections = [...kept, ...old.filter((section) => !bad.has(leafOf(section)))];
  return { desired: { ...wanted, sections: sections.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) }, held };
}

function asksFor(desired: Desired, hold: Hold): boolean {
  const section = pluginNamed(desired, hold.plugin);
  return section !== null && leafOf(section) === hold.leaf;
}
