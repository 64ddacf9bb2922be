import { hasCode, MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { history, isAncestor } from "./ancestry.ts";
import { naming } from "./author.ts";
import { type CommitRule, verifyCommits } from "./commits.ts";
import { localTip, requireRepository, watchRefs } from "./local.ts";
import { Mutex, type Turns } from "./mutex.ts";
import { Objects, type Oid } from "./objects.ts";
import { listTips } from "./remote.ts";
import { readReleases, type Releases, RELEASES_BRANCH } from "./releases.ts";
import { Copies } from "./store/copies.ts";
import type { CopyDeps } from "./store/copy.ts";
import { diffTrees, readTree, type Tree, type TreeChange } from "./tree.ts";
import { type Access, openTransport, parsePlace, type Transport } from "./transport/index.ts";
import { checkAdvance, readVerified, storeVerified, type Verified } from "./verified.ts";

export type SourceConfig = Access & {
  /** Absolute path or file:// of a bare repository, or http(s)://, ssh:// or user@host:path of one. */
  readonly url: string;
  /** Folder for our copy of a remote repository; a cache, made again when lost. Unused for a local one. */
  readonly gitdir: string;
  readonly branch: string;
  readonly stateFile: string;
  readonly maxPackBytes?: number;
  readonly timeoutMs?: number;
  /** When the copy is made anew because it has grown: see CopyDeps. Null = never, for whoever reads one folder through several sources. */
  readonly compactAt?: CopyDeps["compactAt"] | null;
  /** Whose turn it is to talk to the server and change the copy; for processes that share one. Left out = this source's own. */
  readonly turns?: Turns;
  /** Told when the copy could not be compacted; it is tried again later. */
  readonly onSetback?: (err: MooringError) => void;
};

/** Tips of the two branches; null = the branch doesn't exist, which never means that nothing is desired. `changed` compares with the poll
 *  before; the first poll after opening is always a change. */
export type Poll = { readonly main: Oid | null; readonly releases: Oid | null; readonly changed: boolean };

const MAX_PACK_BYTES = 256 << 20;
const TIMEOUT_MS = 60_000;
const COMPACT_AT = { packs: 60, bytes: 32 << 20 }; // each pack is one more index to look through
const PATIENCE = 20; // polls until a new copy is tried again, after one that failed

/** Opens the fleet repo. Nothing is downloaded before the first poll; a copy from an earlier run is used. */
export async function openSource(config: SourceConfig): Promise<Source> {
  const place = parsePlace(config.url);
  if (place.kind === "local") {
    await requireRepository(place.gitdir);
    return new Source(config, { kind: "local", gitdir: place.gitdir, objects: new Objects(place.gitdir) });
  }
  const packBytes = config.maxPackBytes ?? MAX_PACK_BYTES;
  const transport = openTransport(place, config, { maxBytes: packBytes });
  const wire = config.turns ?? new Mutex();
  const timeoutMs = config.timeoutMs ?? TIMEOUT_MS;
  const compactAt = config.compactAt ?? COMPACT_AT;
  const deps = {
    url: place.url,
    transport,
    packBytes,
    timeoutMs,
    flat: RELEASES_BRANCH,
    compactAt,
    wire,
    isShared: config.turns !== undefined,
  };
  const copies = await Copies.open(config.gitdir, deps);
  return new Source(config, { kind: "remote", transport, copies, wire });
}

/** Where the objects are: in the repository itself, or in our copy of one elsewhere. */
type Store =
  | { readonly kind: "local"; readonly gitdir: string; objects: Objects }
  | { readonly kind: "remote"; readonly transport: Transport; readonly copies: Copies; readonly wire: Turns };

type Tips = { readonly main: Oid | null; readonly releases: Oid | null };

/** The fleet repo, read by object id. Every object is hashed again when it is read from disk. */
export class Source {
  readonly #config: SourceConfig;
  readonly #store: Store;
  readonly #polls = new Mutex();
  #seen: Tips | null = null;
  #isBroken = false;
  #pause = 0;

  constructor(config: SourceConfig, store: Store) {
    this.#config = config;
    this.#store = store;
  }

  /** Looks where the two branches are and makes their commits readable. Unchanged = one listing of references. After SOURCE_CORRUPT
   *  anywhere the next poll makes a fresh copy first. Failing leaves everything as it was. */
  async poll(signal?: AbortSignal): Promise<Poll> {
    const limit = this.#config.timeoutMs ?? TIMEOUT_MS;
    return this.#polls.run(async () => {
      const tips = await withDeadline("polling the source", limit, (inner) => this.#tips(inner), signal);
      const changed = this.#seen === null || this.#seen.main !== tips.main || this.#seen.releases !== tips.releases;
      this.#seen = tips;
      return { ...tips, changed };
    });
  }

  /** Hints that a local repository moved; gives back how to stop. Null for a remote one: there only polling tells. */
  async watch(onHint: () => void, onError: (cause: unknown) => void): Promise<(() => Promise<void>) | null> {
    return this.#store.kind === "local" ? watchRefs(this.#store.gitdir, onHint, onError) : null;
  }

  /** Files of a commit's tree; see tree.ts for what is refused. */
  readTree(commit: Oid): Promise<Tree> {
    return this.#read((objects) => naming(objects, commit, async () => readTree(objects, (await objects.commit(commit)).tree)));
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

  /** Brings a commit that no branch of ours names, from a server that gives commits by their id; nothing to do where it is here. */
  async fetchCommit(oid: Oid, signal?: AbortSignal): Promise<void> {
    const store = this.#store;
    if (store.kind === "local" || (await this.#read(async (objects) => objects.has(oid)))) return;
    const limit = this.#config.timeoutMs ?? TIMEOUT_MS;
    const fetch = (inner: AbortSignal): Promise<void> => this.#bring(store.copies, new Map([[`commit ${oid}`, oid]]), inner);
    await store.wire.run(() => withDeadline("fetching a commit", limit, fetch, signal).finally(() => store.transport.close()));
  }

  /** For callers that need merges. */
  withObjects<T>(work: (objects: Objects) => Promise<T>): Promise<T> {
    return this.#read(work);
  }

  async #read<T>(work: (objects: Objects) => Promise<T>): Promise<T> {
    return this.#noting(() => {
      if (this.#store.kind === "local") return work(this.#store.objects);
      const copy = this.#store.copies.current;
      if (copy === null)
        throw new MooringError("SOURCE_CORRUPT", this.#config.gitdir, { why: "there is no copy of the repository that can be read" });
      return copy.use(work);
    });
  }

  /** Whatever we keep in memory may come from what is broken on disk. */
  async #noting<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (err) {
      const copy = this.#store.kind === "remote" ? this.#store.copies.current : null;
      const isGone = hasCode(err, "SOURCE_OBJECT_MISSING") && copy !== null && !copy.holdsTips();
      if (isGone || hasCode(err, "SOURCE_CORRUPT")) this.#isBroken = true;
      if (hasCode(err, "SOURCE_CORRUPT") && this.#store.kind === "local") this.#store.objects = new Objects(this.#store.gitdir);
      throw err;
    }
  }

  async #tips(signal: AbortSignal): Promise<Tips> {
    const { branch } = this.#config;
    const store = this.#store;
    if (store.kind === "local")
      return { main: await localTip(store.gitdir, branch), releases: await localTip(store.gitdir, RELEASES_BRANCH) };
    return store.wire.run(async () => {
      try {
        const listed = await listTips(store.transport, [branch, RELEASES_BRANCH], signal);
        if (listed.size > 0) await this.#bring(store.copies, listed, signal);
        return { main: listed.get(branch) ?? null, releases: listed.get(RELEASES_BRANCH) ?? null };
      } finally {
        store.transport.close();
      }
    });
  }

  async #bring(copies: Copies, listed: ReadonlyMap<string, Oid>, signal: AbortSignal): Promise<void> {
    // Another process may have made a new one, or the first one, which others already read.
    if ((this.#isBroken || copies.current === null) && (await copies.reopen())) this.#isBroken = false;
    const copy = copies.current;
    if (copy === null || this.#isBroken) {
      await this.#renew(copies, listed, signal);
      return;
    }
    await this.#noting(() => copy.use(() => copy.fetch(listed, signal)));
    if (this.#config.compactAt !== null && copy.isGrown && --this.#pause < 0) await this.#compact(copies, listed, signal);
  }

  /** A copy that has grown is still good: when no new one can be made, the old one serves on. */
  async #compact(copies: Copies, listed: ReadonlyMap<string, Oid>, signal: AbortSignal): Promise<void> {
    this.#pause = PATIENCE;
    try {
      await this.#renew(copies, listed, signal);
      this.#pause = 0;
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      this.#config.onSetback?.(err);
    }
  }

  async #renew(copies: Copies, listed: ReadonlyMap<string, Oid>, signal: AbortSignal): Promise<void> {
    await copies.renew(listed, await this.#inForce(), signal);
    this.#isBroken = false;
  }

  /** The revision that must not get lost, wherever main is. */
  async #inForce(): Promise<Oid | null> {
    try {
      return (await this.readVerified())?.revision ?? null;
    } catch (err) {
      if (hasCode(err, "SOURCE_STATE_BROKEN")) return null; // whoever needs the file will say so
      throw err;
    }
  }
}
