import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Path → text of a fleet repo. */
export type Tree = Readonly<Record<string, string>>;

const GOLDEN = join(import.meta.dirname, "../golden/fleet");

/** The fleet that golden plans start from: three machines, one plugin, one secret, one grant. Valid, and this version does all of it. */
export function goldenTree(): Tree {
  return readTree(GOLDEN);
}

/** Every file under `dir`. */
export function readTree(dir: string): Tree {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [relative(dir, path), readFileSync(path, "utf8")]));
}

/** `tree` with `from` replaced by `to` in one file; fails when it is not there, so a test never checks an unchanged tree by accident. */
export function edited(tree: Tree, path: string, from: string | RegExp, to: string): Tree {
  const text = tree[path];
  if (text === undefined) throw new Error(`no ${path}`);
  const next = text.replace(from, to);
  if (next === text) throw new Error(`${path} does not hold ${String(from)}`);
  return { ...tree, [path]: next };
}

/** The files that give the golden fleet's secret a second version. */
export function secondVersion(): Tree {
  return readTree(join(GOLDEN, "../secret-new-version/head"));
}
