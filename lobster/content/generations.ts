import { canonBytes, type Digest, readCanonical } from "#base/canonical/index.ts";
import { faultPoint, isErrno, linkDurable, makeFolder, readIfThere, renameDurable, syncFolder, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { HeldBundle } from "#lobster/contract.ts";
import { type Desired, type GenerationRecord, generationRecord, type PluginSection } from "#schemas/wire/index.ts";
import { chmod, readdir, readlink, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as z from "zod/mini";
import { FOLDER_MODE } from "./mode.ts";
import type { ContentStore } from "./store.ts";

/** One whole state of the machine: its record, what it was made from (canonical bytes of `Desired`) and a tree for each plugin. */
export type Generation = {
  readonly record: GenerationRecord;
  readonly folder: string;
  readonly desired: Desired;
  readonly plugins: readonly { readonly section: PluginSection; readonly held: HeldBundle; readonly tree: string }[];
};

const LINKED_TREE = /^\.\.\/\.\.\/([1-9]\d*)\/plugins\/[a-z0-9.-]+$/;

export type Generations = {
  readonly current: () => Generation | null;
  /** Makes generation `n` beside the current one, whole and synced, but switches nothing. A leftover of the same number is removed first. */
  readonly stage: (record: Omit<GenerationRecord, "n" | "at">, desired: Desired) => Promise<Generation>;
  /** The one atomic step: `current` points to `next` when this resolves, and a crash leaves the one or the other. */
  readonly switchTo: (next: Generation) => Promise<Generation>;
  /** Notes whether the current generation proved healthy. */
  readonly mark: (at: "healthy" | "failed") => Promise<void>;
  /** Numbers of the generations on disk, whether whole or not. */
  readonly kept: () => Promise<readonly number[]>;
  readonly open: (n: number) => Promise<Generation>;
  /** Keeps the current generation and the one before; drops the rest with the bundles only they needed. */
  readonly collect: (alsoKeep: ReadonlySet<Digest>) => Promise<void>;
};

/** Opens the generations in `folder`: whatever was staged but not switched to when the power went is discarded. */
export async function openGenerations(folder: string, content: ContentStore): Promise<Generations> {
  await makeFolder(folder, FOLDER_MODE);
  await chmod(folder, FOLDER_MODE);
  const at = (n: number): string => join(folder, String(n));
  let current = await openCurrent(folder, content);
  await discardStaged(folder, current?.record.n ?? 0);

  const kept = async (): Promise<readonly number[]> =>
    (await readdir(folder))
      .filter((name) => /^[1-9]\d*$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  const stage = async (record: Omit<GenerationRecord, "n" | "at">, desired: Desired): Promise<Generation> => {
    const n = (current?.record.n ?? 0) + 1;
    const temp = join(folder, `${n}.staging`);
    await rm(temp, { recursive: true, force: true });
    await rm(at(n), { recursive: true, force: true });
    await makeFolder(join(temp, "plugins"), FOLDER_MODE);
    await chmod(temp, FOLDER_MODE);
    await chmod(join(temp, "plugins"), FOLDER_MODE);
    for (const section of pluginsOf(desired)) await stageTree(section, join(temp, "plugins", section.name), current, content);
    await writeDurable(join(temp, "desired.json"), canonBytes(desired));
    const full: GenerationRecord = { ...record, n, at: "staged" };
    await writeDurable(join(temp, "record.json"), canonBytes(full));
    await syncFolder(join(temp, "plugins"));
    await renameDurable(temp, at(n));
    return openGeneration(at(n), content);
  };
  const mark = async (generation: Generation, to: GenerationRecord["at"]): Promise<Generation> => {
    const record: GenerationRecord = { ...generation.record, at: to };
    await writeDurable(join(generation.folder, "record.json"), canonBytes(record));
    return { ...generation, record };
  };
  return {
    current: () => current,
    stage,
    switchTo: async (next) => {
      const ready = await mark(next, "switched");
      await linkDurable(join(folder, "current"), String(ready.record.n));
      current = ready;
      return ready;
    },
    mark: async (to) => {
      if (current !== null) current = await mark(current, to);
    },
    kept,
    open: (n) => openGeneration(at(n), content),
    collect: async (alsoKeep) => {
      const now = current?.record.n ?? 0;
      const keep = new Set(alsoKeep);
      const previous = (await kept()).filter((n) => n < now).at(-1);
      const used = new Set([now, previous]);
      for (const n of [now, previous]) for (const owner of n === undefined ? [] : await ownersIn(at(n))) used.add(owner);
      for (const n of await kept()) {
        if (used.has(n)) for (const bundle of await bundlesOf(at(n))) keep.add(bundle);
        else {
          faultPoint(`remove generation ${n}`);
          await rm(at(n), { recursive: true, force: true });
        }
      }
      await content.gc(keep);
    },
  };
}

export function pluginsOf(desired: Desired): readonly PluginSection[] {
  return desired.sections.filter((section) => section.kind === "plugin");
}

async function openCurrent(folder: string, content: ContentStore): Promise<Generation | null> {
  try {
    return await openGeneration(join(folder, basename(await readlink(join(folder, "current")))), content);
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}

async function openGeneration(folder: string, content: ContentStore): Promise<Generation> {
  const [recordBytes, desiredBytes] = [await readIfThere(join(folder, "record.json")), await readIfThere(join(folder, "desired.json"))];
  if (recordBytes === null || desiredBytes === null) throw broken(folder);
  const record = z.parse(generationRecord, readCanonical(recordBytes));
  const desired = readCanonical(desiredBytes) as unknown as Desired; // our own file: staged from a proven document
  const plugins = [];
  for (const section of pluginsOf(desired)) {
    const held = await content.record(section.bundle);
    if (held === null) throw broken(folder);
    plugins.push({ section, held, tree: await treeOf(folder, section.name) });
  }
  return { record, folder, desired, plugins };
}

/** A plugin whose bundle stays keeps its tree, and so its process: the new generation links to the tree's place instead of copying it. */
async function stageTree(section: PluginSection, target: string, current: Generation | null, content: ContentStore): Promise<void> {
  const same = current?.plugins.find((plugin) => plugin.section.name === section.name && plugin.section.bundle === section.bundle);
  if (same !== undefined) {
    const owner = basename(dirname(dirname(same.tree)));
    faultPoint(`link tree ${target}`);
    return symlink(`../../${owner}/plugins/${section.name}`, target);
  }
  const held = await content.record(section.bundle);
  if (held === null) throw new MooringError("CONTENT_CORRUPT", `plugin ${section.name}: its bundle is not kept here`);
  await content.materialise(held, target);
}

/** Where the tree of a plugin really lies: in this generation's folder, or in the one that brought the bundle. */
async function treeOf(folder: string, name: string): Promise<string> {
  const own = join(folder, "plugins", name);
  try {
    const target = await readlink(own);
    if (!LINKED_TREE.test(target)) throw broken(folder);
    return join(folder, "plugins", target);
  } catch (err) {
    if (isErrno(err, "EINVAL") || isErrno(err, "ENOENT")) return own; // a folder of its own; a missing one is drift
    throw err;
  }
}

/** Generations whose trees this one links to. */
async function ownersIn(folder: string): Promise<readonly number[]> {
  const owners: number[] = [];
  for (const entry of await readdir(join(folder, "plugins"), { withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    owners.push(Number(LINKED_TREE.exec(await readlink(join(entry.parentPath, entry.name)))?.[1] ?? 0));
  }
  return owners;
}

async function bundlesOf(folder: string): Promise<readonly Digest[]> {
  const bytes = await readIfThere(join(folder, "desired.json"));
  return bytes === null ? [] : pluginsOf(readCanonical(bytes) as unknown as Desired).map((section) => section.bundle);
}

async function discardStaged(folder: string, current: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const isStaged = /^\d+\.staging$/.test(name) || (/^\d+$/.test(name) && Number(name) > current) || name.endsWith(".tmp");
    if (isStaged) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function broken(folder: string): MooringError {
  return new MooringError("STATE_BROKEN", `generation ${basename(folder)} is not whole`, {
    why: "a file of its record or a kept bundle is gone",
  });
}
