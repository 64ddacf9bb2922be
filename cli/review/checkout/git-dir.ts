import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { MooringError } from "#base/errors/index.ts";

/** The git side of a checkout. `own` has HEAD (in a linked worktree its own folder), `common` the objects and references; `root` is the folder with the
 *  files, null for a bare repository. */
export type GitDir = { readonly root: string | null; readonly own: string; readonly common: string };

/** The repository that `start` lies in, found upwards as git does, through .git files of linked worktrees and submodules. Throws CHECKOUT_MISSING. */
export async function findGitDir(start: string): Promise<GitDir> {
  for (let dir = resolve(start); ; dir = dirname(dir)) {
    const found = (await gitDirIn(dir)) ?? ((await isRepository(dir)) ? { root: null, own: dir } : null);
    if (found !== null) return { ...found, common: await commonOf(found.own) };
    if (dir === dirname(dir))
      throw new MooringError("CHECKOUT_MISSING", resolve(start), { why: "neither it nor a folder above it has a .git" });
  }
}

async function gitDirIn(dir: string): Promise<{ readonly root: string; readonly own: string } | null> {
  const path = join(dir, ".git");
  const found = await statOf(path);
  if (found === null) return null;
  if (found.isDirectory()) return (await isRepository(path)) ? { root: dir, own: path } : null;
  const target = /^gitdir: (.+)$/m.exec(await textAt(path))?.[1];
  if (target === undefined) throw new MooringError("CHECKOUT_MISSING", path, { why: "the file does not name a git folder" });
  const own = resolve(dir, target.trim());
  if (!(await isRepository(own)))
    throw new MooringError("CHECKOUT_MISSING", path, { why: `it names ${own}, which is no git folder`, fix: "run `git worktree repair`" });
  return { root: dir, own };
}

/** A linked worktree has HEAD and `commondir`, a repository HEAD and `objects`. */
async function isRepository(dir: string): Promise<boolean> {
  const [head, objects, common] = await Promise.all(["HEAD", "objects", "commondir"].map((name) => statOf(join(dir, name))));
  return head?.isFile() === true && (objects?.isDirectory() === true || common?.isFile() === true);
}

async function commonOf(own: string): Promise<string> {
  const path = join(own, "commondir");
  return (await statOf(path)) === null ? own : resolve(own, (await textAt(path)).trim());
}

async function statOf(path: string) {
  return stat(path).catch(() => null); // whatever keeps it from being seen, it is not there for us
}

async function textAt(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new MooringError("CHECKOUT_MISSING", path, { why: "it can't be read", cause });
  }
}
