import { MooringError } from "#base/errors/index.ts";
import type { Maker } from "./write-objects.ts";
import type { Objects, Oid } from "./objects.ts";
import type { TreeItem } from "./parse.ts";

/** Path → content; null takes the file away. */
export type TreeEdits = ReadonlyMap<string, Uint8Array | null>;

/** The tree `root` (null = empty) after `edits`; only folders on their paths are made anew. A file that is replaced keeps its mode, a folder that loses its
 *  last file goes. SOURCE_PATH_TAKEN for a path that is no plain one, leads through a file, or is a folder. */
export async function editTree(objects: Objects, root: Oid | null, edits: TreeEdits, make: Maker): Promise<Oid> {
  const top: Level = new Map();
  for (const [path, bytes] of edits) place(top, path, bytes);
  return (await editLevel({ objects, make }, root, top, "")) ?? make.tree([]);
}

/** The file at `path` below `root`, or null. Throws SOURCE_PATH_TAKEN where a folder is, or a file is in the way. */
export async function fileAt(objects: Objects, root: Oid | null, path: string): Promise<TreeItem | null> {
  let tree = root;
  const names = path.split("/");
  for (const [at, name] of names.entries()) {
    const item = tree === null ? undefined : (await objects.tree(tree)).find((one) => one.name === name);
    if (item === undefined) return null;
    const isFolder = item.mode === "40000";
    if (at === names.length - 1) {
      if (isFolder) throw taken(path, "it is a folder, not a file");
      return item;
    }
    if (!isFolder) throw taken(path, "a file is in the way");
    tree = item.oid;
  }
  return null;
}

type Level = Map<string, Level | Uint8Array | null>;

function place(top: Level, path: string, bytes: Uint8Array | null): void {
  const names = path.split("/");
  const last = names.pop() ?? "";
  let level = top;
  for (const name of [...names, last])
    if (!/^[A-Za-z0-9._@+-]+$/.test(name) || /^\.{1,2}$|^\.git$/i.test(name)) throw taken(path, "not a plain path");
  for (const name of names) {
    const next = level.has(name) ? level.get(name) : new Map();
    if (!(next instanceof Map)) throw taken(path, "a file and a folder of one name");
    level.set(name, next);
    level = next;
  }
  if (level.has(last)) throw taken(path, "a file and a folder of one name");
  level.set(last, bytes);
}

type Place = { readonly objects: Objects; readonly make: Maker };

/** Null where nothing is left. */
async function editLevel(at: Place, old: Oid | null, level: Level, prefix: string): Promise<Oid | null> {
  const items = new Map((old === null ? [] : await at.objects.tree(old)).map((item) => [item.name, item]));
  for (const [name, edit] of level) {
    const item = await editItem(at, items.get(name), edit, prefix + name);
    if (item === null) items.delete(name);
    else items.set(name, { name, ...item });
  }
  return items.size === 0 ? null : at.make.tree([...items.values()]);
}

async function editItem(
  at: Place,
  there: TreeItem | undefined,
  edit: Level | Uint8Array | null,
  path: string,
): Promise<Omit<TreeItem, "name"> | null> {
  const isFolder = there?.mode === "40000";
  if (!(edit instanceof Map)) {
    if (isFolder) throw taken(path, "it is a folder, not a file");
    return edit === null ? null : { mode: there?.mode ?? "100644", oid: await at.make.blob(edit) };
  }
  if (there !== undefined && !isFolder) throw taken(path, "it is a file, not a folder");
  const oid = await editLevel(at, there?.oid ?? null, edit, `${path}/`);
  return oid === null ? null : { mode: "40000", oid };
}

function taken(path: string, why: string): MooringError {
  return new MooringError("SOURCE_PATH_TAKEN", path, { why });
}
