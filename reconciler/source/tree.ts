import { MooringError } from "#base/errors/index.ts";
import type { Objects, Oid } from "./objects.ts";
import type { TreeItem } from "./parse.ts";

/** A file of a tree. `mode` is "100644" or "100755", nothing else gets this far. */
export type TreeFile = { readonly oid: Oid; readonly mode: string };

export type Tree = ReadonlyMap<string, TreeFile>;

export const MAX_FILES = 20_000;
export const MAX_DEPTH = 12;
const MAX_PATH_BYTES = 400;
const FOLDER = "40000";

/** All files under the tree object `root`, by path with `/`, in git's order. Nothing is checked out. Throws SOURCE_TREE_REFUSED naming the
 *  path for symbolic links, submodules, names that mean something to a file system (`..`, `.git`, control characters, backslash), a name
 *  used twice, more than 20,000 files or 12 folders deep. */
export async function readTree(objects: Objects, root: Oid): Promise<Tree> {
  const files = new Map<string, TreeFile>();
  const walk = async (oid: Oid, prefix: string, depth: number): Promise<void> => {
    for (const item of await checkedItems(objects, oid, prefix, depth)) {
      const path = prefix + item.name;
      if (item.mode === FOLDER) await walk(item.oid, `${path}/`, depth + 1);
      else files.set(path, { oid: item.oid, mode: item.mode });
      if (files.size > MAX_FILES) throw refused(path, `more than ${MAX_FILES} files`);
    }
  };
  await walk(root, "", 1);
  return files;
}

export type TreeChange = { readonly path: string; readonly before: TreeFile | null; readonly after: TreeFile | null };

/** What differs between two tree objects, by path; null stands for the empty tree. Equal subtrees are not opened, so the cost follows the
 *  change, not the repository. A flipped executable bit is a change. */
export async function diffTrees(objects: Objects, before: Oid | null, after: Oid | null): Promise<readonly TreeChange[]> {
  const changes: TreeChange[] = [];
  const fileOf = (item: TreeItem | undefined): TreeFile | null =>
    item === undefined || item.mode === FOLDER ? null : { oid: item.oid, mode: item.mode };
  const walk = async (a: Oid | null, b: Oid | null, prefix: string, depth: number): Promise<void> => {
    if (a === b) return;
    const left = new Map((a === null ? [] : await checkedItems(objects, a, prefix, depth)).map((item) => [item.name, item]));
    const right = new Map((b === null ? [] : await checkedItems(objects, b, prefix, depth)).map((item) => [item.name, item]));
    for (const name of differing(left, right).sort()) {
      const [x, y] = [left.get(name), right.get(name)];
      const [from, to] = [fileOf(x), fileOf(y)];
      if (from !== null || to !== null) changes.push({ path: prefix + name, before: from, after: to });
      const folder = (item: TreeItem | undefined): Oid | null => (item?.mode === FOLDER ? item.oid : null);
      await walk(folder(x), folder(y), `${prefix}${name}/`, depth + 1);
    }
  };
  await walk(before, after, "", 1);
  return changes;
}

function differing(left: ReadonlyMap<string, TreeItem>, right: ReadonlyMap<string, TreeItem>): string[] {
  const names: string[] = [];
  for (const [name, x] of left) {
    const y = right.get(name);
    if (x.oid !== y?.oid || x.mode !== y.mode) names.push(name);
  }
  for (const name of right.keys()) if (!left.has(name)) names.push(name);
  return names;
}

/** Items of one tree whose names and modes are safe to use. */
export async function checkedItems(objects: Objects, oid: Oid, prefix: string, depth: number): Promise<readonly TreeItem[]> {
  if (depth > MAX_DEPTH) throw refused(prefix, `more than ${MAX_DEPTH} folders deep`);
  const items = await objects.tree(oid);
  const seen = new Set<string>();
  for (const { name, mode } of items) {
    const path = prefix + name;
    const why =
      badName(name) ??
      badMode(mode) ??
      (seen.has(name)
        ? "a name used twice"
        : path.length > MAX_PATH_BYTES / 3 && Buffer.byteLength(path) > MAX_PATH_BYTES
          ? "a path that is too long"
          : null);
    if (why !== null) throw refused(path, why);
    seen.add(name);
  }
  return items;
}

function badName(name: string): string | null {
  if (name === "" || name === "." || name === "..") return "not a file name";
  if (name.toLowerCase() === ".git") return "a folder of git inside the tree";
  return /[\x00-\x1f\x7f/\\]/.test(name) ? "a name with a separator or control character" : null;
}

function badMode(mode: string): string | null {
  switch (mode) {
    case "100644":
    case "100755":
    case FOLDER:
      return null;
    case "120000":
      return "a symbolic link; the fleet repo holds plain files";
    case "160000":
      return "a submodule; the fleet repo holds plain files";
    default:
      return `an object of mode ${mode}`;
  }
}

function refused(path: string, why: string): MooringError {
  return new MooringError("SOURCE_TREE_REFUSED", JSON.stringify(path.slice(0, 200)), { why, have: path.slice(0, 200) });
}
