import { readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { isErrno, linkDurable, makeFolder } from "#base/durable/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { storing } from "../disk.ts";
import { exists } from "../exists.ts";
import type { Objects, Oid } from "../objects.ts";
import { packOf, type Whole } from "../pack/write.ts";
import { readTree } from "../tree.ts";
import { Copy, type CopyDeps } from "./copy.ts";
import { isLeftover, isOld, ownName } from "./leftovers.ts";

const COPY = /^copy-\d+-[0-9a-f]+$/;
const LINK = "current";

/** The copies under one folder, of which the link `current` names the one in use. A new one is made beside it and takes its place by one atomic step, so
 *  a crash leaves the old or the new; the old one goes when nobody of this process reads it any more. */
export class Copies {
  readonly #root: string;
  readonly #deps: CopyDeps;
  #current: Copy | null = null;

  private constructor(root: string, deps: CopyDeps) {
    this.#root = root;
    this.#deps = deps;
  }

  /** Takes what an earlier run left, or nothing: what can't be used is no error, the next fetch makes a new copy. */
  static async open(root: string, deps: CopyDeps): Promise<Copies> {
    const copies = new Copies(root, deps);
    await storing(root, async () => {
      if (await exists(join(root, "HEAD"))) await rm(root, { recursive: true, force: true }); // a copy as mooring 0.1 kept it
      await makeFolder(root);
      await copies.#sweep();
    });
    await copies.reopen();
    return copies;
  }

  get current(): Copy | null {
    return this.#current;
  }

  /** Looks again which copy is in use, since another process may have made a new one; whether it is another one now. */
  async reopen(): Promise<boolean> {
    const before = this.#current?.folder ?? null;
    const name = await this.#linked();
    const folder = name === null ? null : join(this.#root, name);
    if (folder === before && before !== null) return false;
    try {
      this.#current = folder === null ? null : await Copy.open(folder, this.#deps);
    } catch (err) {
      if (!hasCode(err, "SOURCE_CORRUPT") && !isErrno(err, "ENOENT")) throw err;
      this.#current = null;
    }
    return this.#current !== null;
  }

  /** Makes a new copy of `listed`, with the revision `keep` in it also where the server no longer has it, and puts it in the place of the old one. */
  async renew(listed: ReadonlyMap<string, Oid>, keep: Oid | null, signal: AbortSignal): Promise<Copy> {
    const name = ownName("copy");
    const folder = join(this.#root, name);
    const old = this.#current;
    const before = await this.#linked();
    try {
      const fresh = await Copy.create(folder, this.#deps);
      await fresh.fetch(listed, signal);
      if (keep !== null) await carry(old, fresh, keep, signal);
      await storing(this.#root, () => linkDurable(join(this.#root, LINK), name));
      this.#current = fresh;
    } catch (err) {
      await rm(folder, { recursive: true, force: true });
      throw err;
    }
    if (old !== null) await old.retire();
    else if (before !== null) await rm(join(this.#root, before), { recursive: true, force: true }); // it could not even be opened
    return this.#current;
  }

  async #linked(): Promise<string | null> {
    try {
      const name = await readlink(join(this.#root, LINK));
      return COPY.test(name) ? name : null;
    } catch (err) {
      if (isErrno(err, "ENOENT") || isErrno(err, "EINVAL")) return null;
      throw err;
    }
  }

  /** Removes what processes that are gone left behind. */
  async #sweep(): Promise<void> {
    const linked = await this.#linked();
    for (const name of await readdir(this.#root)) {
      const isReplaced = name !== linked && isLeftover(name) && (!this.#deps.isShared || (await isOld(join(this.#root, name))));
      const isLeft = isReplaced || /^current\.[0-9a-f]+\.tmp$/.test(name);
      if (isLeft) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }
}

/** Sees to it that `fresh` holds `revision`: out of its own history, else out of the old copy as far as that can still be read. */
async function carry(old: Copy | null, fresh: Copy, revision: Oid, signal: AbortSignal): Promise<void> {
  while (!fresh.objects.has(revision)) if (!(await fresh.deepen(signal))) break;
  if (old === null || fresh.objects.has(revision)) return;
  try {
    const made = await old.use(async (objects) => (objects.has(revision) ? packOf(await closureOf(objects, revision)) : null));
    if (made !== null) await fresh.adopt(revision, made, signal);
  } catch (err) {
    if (!hasCode(err, "SOURCE_CORRUPT")) throw err; // it is lost with the old copy
  }
}

/** A commit and all of its tree, without its history. */
async function closureOf(objects: Objects, revision: Oid): Promise<Whole> {
  const { tree } = await objects.commit(revision);
  const found: Whole = new Map();
  for (const { oid } of (await readTree(objects, tree)).values()) found.set(oid, { type: "blob", bytes: await objects.blob(oid) });
  const folders = [tree];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    if (found.has(next)) continue;
    found.set(next, { type: "tree", bytes: await objects.raw(next, "tree") });
    folders.push(...(await objects.tree(next)).filter(({ mode }) => mode === "40000").map(({ oid }) => oid));
  }
  return found.set(revision, { type: "commit", bytes: await objects.raw(revision, "commit") });
}
