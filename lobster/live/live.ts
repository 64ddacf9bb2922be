import type { Digest } from "#base/canonical/index.ts";
import { type Clock, timeOf } from "#base/time/index.ts";
import { driftLeaf, keyOf, leafOf, machineRoot, sortIndex } from "#proof/root/index.ts";
import type { LiveAnswer, PathDrift, Pins, Section, SectionKey } from "#schemas/wire/index.ts";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Generation } from "../content/index.ts";
import { type HashCache, type Level, observeTree } from "./tree.ts";

/** What was seen of the machine, with the drift of each plugin tree. */
export type Seen = { readonly answer: LiveAnswer; readonly drifted: ReadonlyMap<string, readonly PathDrift[]> };

export type Observer = {
  /** Looks at the current generation. Runs one after the other; what it saw is `last` afterwards. */
  readonly observe: (generation: Generation | null, level: Level) => Promise<Seen>;
  /** What was seen last; before the first look an empty machine. */
  readonly last: () => Seen;
  readonly onRoot: (listener: () => void) => () => void;
};

/** Observes the machine of `pins` (WIRE §3.5). Sections other than plugin trees are as the generation's record has them: what they ask for is
 *  kept nowhere else. */
export function makeObserver(pins: Pins, uid: number, now: Clock): Observer {
  const caches = new Map<string, HashCache>();
  const listeners = new Set<() => void>();
  let last: Seen = seenOf(pins, [], new Map(), [], now());
  let lane: Promise<unknown> = Promise.resolve();
  const look = async (generation: Generation | null, level: Level): Promise<Seen> => {
    if (generation === null) return seenOf(pins, [], new Map(), [], now());
    for (const folder of caches.keys()) if (folder !== generation.folder) caches.delete(folder);
    const cache = caches.get(generation.folder) ?? new Map();
    caches.set(generation.folder, cache);
    const drifted = new Map<string, readonly PathDrift[]>();
    for (const { section, held, tree } of generation.plugins) {
      const paths = await observeTree(tree, held, uid, cache, level);
      if (paths.length > 0) drifted.set(keyOf(section), paths);
    }
    return seenOf(pins, generation.desired.sections, drifted, await foreignIn(generation), now());
  };
  const observe = async (generation: Generation | null, level: Level): Promise<Seen> => {
    const before = last.answer.root;
    last = await look(generation, level);
    if (last.answer.root !== before) for (const tell of listeners) tell();
    return last;
  };
  return {
    last: () => last,
    observe: (generation, level) => {
      const turn = lane.then(() => observe(generation, level));
      lane = turn.catch(() => null); // the caller gets the error
      return turn;
    },
    onRoot: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The live answer from sections and what drifted of them. Pure. */
export function seenOf(
  pins: Pick<Pins, "fleet" | "machine">,
  sections: readonly Section[],
  drifted: ReadonlyMap<string, readonly PathDrift[]>,
  foreign: readonly string[],
  now: number,
): Seen {
  const leaf = (section: Section): Digest => {
    const paths = drifted.get(keyOf(section));
    return paths === undefined ? leafOf(section) : driftLeaf(leafOf(section), paths);
  };
  const index = sortIndex(sections.map((section) => [keyOf(section), leaf(section)] as const));
  const answer: LiveAnswer = {
    v: 1,
    fleet: pins.fleet,
    machine: pins.machine,
    root: machineRoot(pins.fleet, pins.machine, index),
    index: index.map(([key, leaf]) => [key as SectionKey, leaf] as const),
    drifted: Object.fromEntries(drifted),
    foreign,
    observedAt: timeOf(now),
  };
  return { answer, drifted };
}

/** Names in the generation's folders that nobody of ours made: reported, never removed. */
async function foreignIn(generation: Generation): Promise<readonly string[]> {
  const plugins = new Set<string>(generation.plugins.map(({ section }) => section.name));
  const ours = new Set(["record.json", "desired.json", "plugins"]);
  const foreign = (await readdir(generation.folder)).filter(
    (name) => !ours.has(name) && !/^(record|desired)\.json\.[0-9a-f]{12}\.tmp$/.test(name),
  );
  const inPlugins = (await readdir(join(generation.folder, "plugins")))
    .filter((name) => !plugins.has(name))
    .map((name) => `plugins/${name}`);
  return [...foreign, ...inPlugins].sort();
}
