import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { parseTag } from "#proof/gitobject/index.ts";
// Straight from the files: the index brings transports and SSH along, and a plan reads only what is here.
import { isAncestor, mergeBases } from "#reconciler/source/ancestry.ts";
import { Objects, type Oid } from "#reconciler/source/objects.ts";
import { findGitDir, type GitDir } from "./git-dir.ts";
import { oidsWith } from "./prefix.ts";
import { readRefs, type Refs } from "./refs.ts";

/** A repository on this machine as it lies there: nothing is fetched, nothing is written. */
export type Checkout = {
  readonly git: GitDir;
  readonly objects: Objects;
  /** History or files are cut away here (`--depth`, `--filter`). */
  readonly isPartial: boolean;
  /** The commit that a name stands for, as git reads it: a branch, a tag, HEAD, HEAD~2, 7 to 40 hex digits. Throws REVISION_MISSING. */
  revision(text: string): Promise<Oid>;
  /** The same, or null where there is no such reference. */
  tip(name: string): Promise<Oid | null>;
};

/** Throws CHECKOUT_MISSING. */
export async function openCheckout(dir: string): Promise<Checkout> {
  const git = await findGitDir(dir);
  const refs = await readRefs(git);
  const objects = new Objects(git.common);
  const isPartial =
    (await textOf(join(git.common, "shallow"))) !== null || /partialclonefilter/i.test((await textOf(join(git.common, "config"))) ?? "");
  const missing = (text: string, why: string, cause?: unknown): MooringError =>
    new MooringError("REVISION_MISSING", text, {
      why,
      cause,
      ...(isPartial ? { fix: "this clone is cut short: `git fetch --unshallow`, or in CI check out with fetch-depth: 0" } : {}),
    });
  const revision = async (text: string): Promise<Oid> => {
    const [, name = "", path = ""] = /^(.*?)((?:[~^]\d*)*)$/s.exec(text) ?? [];
    const start = await startOf(git, refs, name);
    if (start === null) throw missing(text, "no branch, tag or commit of this name is here");
    try {
      return await follow(objects, peeled(objects, start), path);
    } catch (err) {
      if (hasCode(err, "SOURCE_OBJECT_MISSING")) throw missing(text, "this clone does not hold the commit", err);
      throw err;
    }
  };
  return { git, objects, isPartial, revision, tip: (name) => refs.find(name) };
}

/** The commit to compare a change with: `base` itself where the change stands on it, else where the two parted. `isCut` = the history here does
 *  not say (it is cut short, crosses more than once, or they have none in common), so it is `base`. */
export async function commonBase({ objects }: Checkout, base: Oid, head: Oid): Promise<{ readonly base: Oid; readonly isCut: boolean }> {
  try {
    if (base === head || (await isAncestor(objects, base, head))) return { base, isCut: false };
    const [best, ...more] = await mergeBases(objects, base, head);
    return best === undefined || more.length > 0 ? { base, isCut: true } : { base: best, isCut: false };
  } catch (err) {
    if (hasCode(err, "SOURCE_OBJECT_MISSING")) return { base, isCut: true };
    throw err;
  }
}

/** Whether `tip` descends from `base`; false where the history here does not say. */
export async function isGrownFrom(checkout: Checkout, base: string, tip: Oid): Promise<boolean> {
  try {
    return await isAncestor(checkout.objects, await checkout.revision(base), tip);
  } catch (err) {
    if (hasCode(err, "SOURCE_OBJECT_MISSING")) return false;
    throw err;
  }
}

async function startOf(git: GitDir, refs: Refs, name: string): Promise<Oid | null> {
  if (/^[0-9a-f]{40}$/.test(name)) return name;
  const found = await refs.find(name === "@" ? "HEAD" : name);
  if (found !== null || !/^[0-9a-f]{7,39}$/.test(name)) return found;
  const oids = await oidsWith(git.common, name);
  return oids.length === 1 ? oids[0]! : null;
}

/** What an annotated tag is of, through tags of tags. */
function peeled(objects: Objects, oid: Oid, depth = 0): Oid {
  const found = objects.lookup(oid);
  return found?.type === "tag" && depth < 5 ? peeled(objects, parseTag(found.bytes).object, depth + 1) : oid;
}

/** `~2`, `^`, `^2~` … from a commit on. */
async function follow(objects: Objects, start: Oid, path: string): Promise<Oid> {
  let oid = start;
  for (const [, sign, digits] of path.matchAll(/([~^])(\d*)/g)) {
    const count = digits === "" ? 1 : Number(digits);
    const steps = sign === "~" ? Array.from({ length: Math.min(count, 10_000) }, () => 0) : count === 0 ? [] : [count - 1];
    for (const parent of steps) {
      const next = (await objects.commit(oid)).parents[parent];
      if (next === undefined) throw new MooringError("SOURCE_OBJECT_MISSING", path, { why: "the history ends before" });
      oid = next;
    }
  }
  await objects.commit(oid);
  return oid;
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw new MooringError("CHECKOUT_MISSING", path, { why: "it can't be read", cause: err });
  }
}
