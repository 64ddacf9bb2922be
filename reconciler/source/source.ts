import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { hasCode } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { history, isAncestor } from "./ancestry.ts";
import { type CommitRule, verifyCommits } from "./commits.ts";
import { exists } from "./exists.ts";
import { localTip, requireRepository, watchRefs } from "./local.ts";
import { Mutex } from "./mutex.ts";
import { Objects, type Oid } from "./objects.ts";
import { fetchBranch, initCopy, listTips, swapCopy, sweepCopies } from "./remote.ts";
import { readReleases, type Releases } from "./releases.ts";
import { diffTrees, readTree, type Tree, type TreeChange } from "./tree.ts";
import { type Access, openTransport, parsePlace, type Place, type Transport } from "./transport/index.ts";
import { checkAdvance, readVerified, storeVerified, type Verified } from "./verified.ts";

/** Where release documents are: see releases.ts. */
export const RELEASES_BRANCH = "mooring/releases";

export type SourceConfig = Access & {
  /** Absolute path or file:// of a bare repository, or http(s)://, ssh:// or user@host:path of one. */
  readonly url: string;
  /** Folder for our copy of a remote repository; a cache, made again when lost. Unused for a local one. */
  readonly gitdir: string;
  readonly branch: string;
  readonly stateFile: string;
  readonly maxPackBytes?: number;
  readonly timeoutMs?: number;
};

/** Tips of the two branches; null = the branch doesn't exist, which never means that nothing is desired. `changed` compares with the poll
 *  before; the first poll after opening is always a change. */
export type Poll = { readonly main: Oid | null; readonly releases: Oid | null; readonly changed: boolean };

const MAX_PACK_BYTES = 256 << 20;
const TIMEOUT_MS = 60_000;
const FETCHES_PER_COPY = 100; // one pack each; reads cost 2.5 times as much with 200 packs

/** Opens the fleet repo. Nothing is downloaded before the first poll; a copy from an earlier run is used. */
export async function openSource(config: SourceConfig): Promise<Source> {
  const place = parsePlace(config.url);
  if (place.kind === "local") {
    await requireRepository(place.gitdir);
    return new Source(config, place, place.gitdir);
  }
  await sweepCopies(config.gitdir);
  if (!(await exists(config.gitdir))) {
    const fresh = freshName(config.gitdir);
    await initCopy(fresh);
    await swapCopy(config.gitdir, fresh);
  }
  return new Source(config, place, config.gitdir);
}

/** The fleet repo, read by object id. Every object is hashed again when it is read from disk. */
export class Source {
  readonly #config: SourceConfig;
  readonly #place: Place;
  readonly #gitdir: string;
  readonly #transport: Transport | null;
  readonly #polls = new Mutex();
  readonly #disk = new Mutex(); // isomorphic-git writes packs in place: nobody reads meanwhile
  #objects: Objects;
  #seen: { readonly main: Oid | null; readonly releases: Oid | null } | null = null;
  #isBroken = false;
  #fetches = 0;

  constructor(config: SourceConfig, place: Place, gitdir: string) {
    this.#config = config;
    this.#place = place;
    this.#gitdir = gitdir;
    this.#transport = place.kind === "local" ? null : openTransport(place, config, { maxBytes: config.maxPackBytes ?? MAX_PACK_BYTES });
    this.#objects = new Objects(gitdir);
  }

  /** Looks where the two branches are and makes their commits readable. Unchanged = one listing of references. After SOURCE_CORRUPT
   *  anywhere the next poll makes a fresh copy first. Failing leaves everything as it was. */
  async poll(signal?: AbortSignal): Promise<Poll> {
    const limit = this.#config.timeoutMs ?? TIMEOUT_MS;
    return this.#polls.run(async () => {
      const tips = await withDeadline("polling the source", limit, (inner) => this.#tips(inner), signal).finally(() => this.#transport?.close());
      const changed = this.#seen === null || this.#seen.main !== tips.main || this.#seen.releases !== tips.releases;
      this.#seen = tips;
      return { ...tips, changed };
    });
  }

  /** Hints that a local repository moved; gives back how to stop. Null for a remote one: there only polling tells. */
  async watch(onHint: () => void, onError: (cause: unknown) => void): Promise<(() => Promise<void>) | null> {
    return this.#place.kind === "local" ? watchRefs(this.#gitdir, onHint, onError) : null;
  }

  /** Files of a commit's tree; see tree.ts for what is refused. */
  readTree(commit: Oid): Promise<Tree> {
    return this.#read(async (objects) => readTree(objects, (await objects.commit(commit)).tree));
  }

  readBlob(blob: Oid): Promise<Uint8Array> {
    return this.#read((objects) => objects.blob(blob));
  }

  /** What differs between two commits, by path; `before` null = everything is new. */
  diffTrees(before: Oid | null, after: Oid): Promise<readonly TreeChange[]> {
    return this.#read(async (objects) => {
      const root = before === null ? null : (await objects.commit(before)).tree;
      return diffTrees(objects, root, (await objects.commit(after)).tree);
    });
  }

  history(from: Oid, until: Oid | null, limit: number): Promise<readonly Oid[]> {
    return this.#read((objects) => history(objects, from, until, limit));
  }

  isFastForward(from: Oid, to: Oid): Promise<boolean> {
    return this.#read((objects) => isAncestor(objects, from, to));
  }

  readVerified(): Promise<Verified | null> {
    return readVerified(this.#config.stateFile);
  }

  storeVerified(verified: Verified): Promise<void> {
    return storeVerified(this.#config.stateFile, verified);
  }

  checkAdvance(last: Oid | null, head: Oid): Promise<void> {
    return this.#read((objects) => checkAdvance(objects, last, head));
  }

  verifyCommits(rule: CommitRule): Promise<void> {
    return this.#read((objects) => verifyCommits(objects, rule));
  }

  readReleases(commit: Oid): Promise<Releases> {
    return this.#read(async (objects) => readReleases(objects, (await objects.commit(commit)).tree));
  }

  /** For callers that need merges: work on the objects while nobody writes them. */
  withObjects<T>(work: (objects: Objects) => Promise<T>): Promise<T> {
    return this.#read(work);
  }

  #read<T>(work: (objects: Objects) => Promise<T>): Promise<T> {
    return this.#disk.run(async () => {
      try {
        return await work(this.#objects);
      } catch (err) {
        if (hasCode(err, "SOURCE_CORRUPT")) this.#distrust();
        throw err;
      }
    });
  }

  /** Whatever we kept in memory may come from what is broken on disk. */
  #distrust(): void {
    this.#objects = new Objects(this.#gitdir);
    this.#isBroken = true;
  }

  async #tips(signal: AbortSignal): Promise<{ main: Oid | null; releases: Oid | null }> {
    const { branch } = this.#config;
    if (this.#transport === null) {
      return { main: await localTip(this.#gitdir, branch), releases: await localTip(this.#gitdir, RELEASES_BRANCH) };
    }
    const transport = this.#transport;
    const listed = await listTips(transport, [branch, RELEASES_BRANCH], signal);
    if (this.#isBroken || this.#fetches >= FETCHES_PER_COPY) await this.#copyAfresh(transport, listed, signal);
    const tip = (name: string): Promise<Oid | null> => this.#bring(transport, name, listed.get(name) ?? null, signal);
    return { main: await tip(branch), releases: await tip(RELEASES_BRANCH) };
  }

  async #bring(transport: Transport, branch: string, listed: Oid | null, signal: AbortSignal): Promise<Oid | null> {
    if (listed === null) return null;
    return this.#read(async (objects) => {
      const have = await localTip(this.#gitdir, branch);
      if (have === listed) return listed;
      this.#fetches += 1;
      const tip = await fetchBranch(transport, this.#gitdir, objects, branch, listed, signal);
      await proveWhole(objects, have, tip);
      return tip;
    });
  }

  async #copyAfresh(transport: Transport, tips: ReadonlyMap<string, Oid>, signal: AbortSignal): Promise<void> {
    const fresh = freshName(this.#gitdir);
    try {
      await initCopy(fresh);
      const objects = new Objects(fresh);
      for (const [branch, tip] of tips) await proveWhole(objects, null, await fetchBranch(transport, fresh, objects, branch, tip, signal));
      await this.#disk.run(async () => {
        await swapCopy(this.#gitdir, fresh);
        this.#objects = new Objects(this.#gitdir);
      });
      this.#isBroken = false;
      this.#fetches = 0;
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
}

function freshName(gitdir: string): string {
  return `${gitdir}.fresh-${randomBytes(4).toString("hex")}`;
}

/** Reads (and so hashes) every object that is new in `tip`'s tree, since a pack with a hole in it is indexed without complaint. What the
 *  tree may not hold is judged by readTree, later. */
async function proveWhole(objects: Objects, have: Oid | null, tip: Oid): Promise<void> {
  try {
    const before = have === null ? null : (await objects.commit(have)).tree;
    const changes = await diffTrees(objects, before, (await objects.commit(tip)).tree);
    for (const { after } of changes) if (after !== null) await objects.blob(after.oid);
  } catch (err) {
    if (hasCode(err, "SOURCE_TREE_REFUSED") || hasCode(err, "SOURCE_TOO_LARGE")) return;
    throw err;
  }
}
