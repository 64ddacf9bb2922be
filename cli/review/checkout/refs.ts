import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "#reconciler/source/index.ts";
import type { GitDir } from "./git-dir.ts";

const OID = /^[0-9a-f]{40}$/;
// Where git looks for a short name (gitrevisions(7)); a CI checkout often has the remote's branches only, so those of `origin` come last.
const PLACES = ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] as const;

/** References of a checkout, loose and packed. */
export type Refs = {
  /** What a name stands for: HEAD, a branch, a tag, `origin/x`, a full name. The object may be a tag. Null where there is none. Throws REVISION_MISSING for a
   *  name that git would warn of: a tag `origin/main` beside the branch, say, by which whoever may push tags would choose what is compared. */
  find(name: string): Promise<Oid | null>;
};

export async function readRefs(git: GitDir): Promise<Refs> {
  const config = (await textOf(join(git.common, "config"))) ?? "";
  const notYet = (what: string, fix: string): MooringError => new MooringError("NOT_YET", `${git.common}: ${what}`, { fix });
  if (/^\s*refstorage\s*=\s*reftable/im.test(config)) throw notYet("references in a reftable", "run `git refs migrate --ref-format=files`");
  if (/^\s*objectformat\s*=\s*sha256/im.test(config)) throw notYet("object ids of SHA-256", "clone it from a repository with SHA-1 ids");
  const packed = packedRefs((await textOf(join(git.common, "packed-refs"))) ?? "");
  const loose = async (name: string, depth = 0): Promise<Oid | null> => {
    const text = (await textOf(join(isOwn(name) ? git.own : git.common, name)))?.trim();
    const target = /^ref: (.+)$/.exec(text ?? "")?.[1];
    if (target !== undefined && depth < 5) return isPlain(target) ? loose(target, depth + 1) : null;
    return text !== undefined && OID.test(text) ? text : (packed.get(name) ?? null);
  };
  return {
    async find(name) {
      if (!isPlain(name)) return null;
      if (isOwn(name)) return loose(name);
      const exact = name.startsWith("refs/") ? await loose(name) : null;
      if (exact !== null) return exact;
      const found = new Map<string, Oid>();
      for (const place of PLACES) {
        const oid = await loose(`${place}${name}`);
        if (oid !== null) found.set(`${place}${name}`, oid);
      }
      if (new Set(found.values()).size > 1) throw ambiguous(name, [...found.keys()]);
      return found.values().next().value ?? (await loose(`refs/remotes/origin/${name}`)) ?? loose(`refs/remotes/${name}/HEAD`);
    },
  };
}

function ambiguous(name: string, all: readonly string[]): MooringError {
  return new MooringError("REVISION_MISSING", name, {
    why: `it names more than one: ${all.join(", ")}`,
    fix: "write the one you mean in full",
  });
}

/** HEAD and its like belong to one worktree. */
function isOwn(name: string): boolean {
  return /^[A-Z][A-Z_]*$/.test(name);
}

/** A reference's name can't lead out of its folder (git-check-ref-format(1)). */
function isPlain(name: string): boolean {
  return /^[^\x00-\x20\x7f~^:?*[\\]+$/.test(name) && !/(^|\/)\.|\.\.|\/$|^\/|\/\/|@\{/.test(name);
}

function packedRefs(text: string): ReadonlyMap<string, Oid> {
  return new Map([...text.matchAll(/^([0-9a-f]{40}) (\S+)$/gm)].map(([, oid = "", name = ""]) => [name, oid]));
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "ENOTDIR") || isErrno(err, "EISDIR")) return null;
    throw new MooringError("CHECKOUT_MISSING", path, { why: "it can't be read", cause: err });
  }
}
