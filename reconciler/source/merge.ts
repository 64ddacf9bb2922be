import { mergeText } from "./diff3.ts";
import { hashObject, type Objects, type Oid } from "./objects.ts";
import { diffTrees, readTree, type TreeChange, type TreeFile } from "./tree.ts";

/** `files` is the merged tree by path; content that no side had (a merged text) is in `made`, by its blob id. */
export type Merged =
  | { readonly at: "merged"; readonly files: ReadonlyMap<string, TreeFile>; readonly made: ReadonlyMap<Oid, Uint8Array> }
  | { readonly at: "conflict"; readonly paths: readonly string[] };

/** Three-way merge of tree objects: what `mooring approve` shows and what an unsigned merge commit must equal. Per file: changed on one side
 *  = that side; the same on both = that; text changed on both = merged by lines when the lines are apart. No rename detection: a file renamed
 *  here and edited there is a conflict. Reads only what changed on both sides; writes nothing. */
export async function mergeTrees(objects: Objects, base: Oid | null, ours: Oid, theirs: Oid): Promise<Merged> {
  const left = byPath(await diffTrees(objects, base, ours));
  const right = byPath(await diffTrees(objects, base, theirs));
  const files = new Map(await readTree(objects, ours));
  const made = new Map<Oid, Uint8Array>();
  const conflicts: string[] = [];
  for (const [path, theirChange] of right) {
    const ourChange = left.get(path);
    const result = ourChange === undefined ? theirChange.after : await mergeFile(objects, ourChange, theirChange, made);
    if (result === "conflict") conflicts.push(path);
    else if (result === null) files.delete(path);
    else files.set(path, result);
  }
  conflicts.push(...filesUsedAsFolders(files));
  return conflicts.length > 0 ? { at: "conflict", paths: [...new Set(conflicts)].sort() } : { at: "merged", files, made };
}

/** Whether the tree object `tree` holds exactly `files`. */
export async function isTree(objects: Objects, tree: Oid, files: ReadonlyMap<string, TreeFile>): Promise<boolean> {
  const other = await readTree(objects, tree);
  if (other.size !== files.size) return false;
  for (const [path, { oid, mode }] of other) {
    const mine = files.get(path);
    if (mine?.oid !== oid || mine.mode !== mode) return false;
  }
  return true;
}

async function mergeFile(
  objects: Objects,
  ours: TreeChange,
  theirs: TreeChange,
  made: Map<Oid, Uint8Array>,
): Promise<TreeFile | null | "conflict"> {
  const [base, a, b] = [ours.before, ours.after, theirs.after];
  if (a?.oid === b?.oid && a?.mode === b?.mode) return a;
  if (base === null || a === null || b === null) return "conflict"; // added differently, or deleted here and changed there
  const mode = a.mode === base.mode ? b.mode : a.mode;
  if (a.oid === b.oid || b.oid === base.oid) return { oid: a.oid, mode };
  if (a.oid === base.oid) return { oid: b.oid, mode };
  const texts = await Promise.all([base, a, b].map(async (file) => textOf(await objects.blob(file.oid))));
  const [t0, t1, t2] = texts;
  const merged = t0 == null || t1 == null || t2 == null ? null : mergeText(t0, t1, t2);
  if (merged === null) return "conflict";
  const bytes = Buffer.from(merged, "utf8");
  const oid = hashObject("blob", bytes);
  made.set(oid, bytes);
  return { oid, mode };
}

/** Null for what isn't text, as git sees it, or wouldn't survive decoding. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  const text = Buffer.from(bytes).toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : null;
}

/** One side made a file where the other made a folder. */
function filesUsedAsFolders(files: ReadonlyMap<string, TreeFile>): readonly string[] {
  const clashes: string[] = [];
  for (const path of files.keys()) {
    for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
      if (files.has(path.slice(0, slash))) clashes.push(path.slice(0, slash));
    }
  }
  return clashes;
}

function byPath(changes: readonly TreeChange[]): ReadonlyMap<string, TreeChange> {
  return new Map(changes.map((change) => [change.path, change]));
}
