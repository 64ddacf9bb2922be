import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { backoffMs, sleep, withDeadline } from "#base/time/index.ts";
import { editTree, fileAt, type TreeEdits } from "./build.ts";
import { localTip, requireRepository } from "./local.ts";
import { moveRef } from "./move-ref.ts";
import { hashObject, Objects, type Oid } from "./objects.ts";
import { fetchTip } from "./remote.ts";
import { type Access, openTransport, parsePlace, type Transport } from "./transport/index.ts";
import { makerIn, type Person, publish } from "./write-objects.ts";

/** The newest commit of a branch, on which a push is built. */
export type Parent = {
  /** Null where the branch doesn't exist: what is pushed becomes its first commit. */
  readonly commit: Oid | null;
  /** Content of a file; null where there is none. */
  readonly read: (path: string) => Promise<Uint8Array | null>;
  /** Whether `path` holds exactly `bytes`; null where there is no file. */
  readonly holds: (path: string, bytes: Uint8Array) => Promise<boolean | null>;
};

export type PushCommit = Access & {
  /** As in SourceConfig. */
  readonly url: string;
  readonly branch: string;
  /** What to change on top of `parent`. Called anew for each parent, when others push meanwhile or the answer to a push got lost: it MUST change nothing where
   *  what it wants is there already. */
  readonly build: (parent: Parent) => Promise<TreeEdits> | TreeEdits;
  readonly message: string;
  readonly author: Person;
  /** Armored signature over the commit, where the fleet asks for signed commits. */
  readonly sign?: (payload: Uint8Array) => Promise<string>;
};

export type CommitFiles = Omit<PushCommit, "build"> & {
  /** New files by path. A path that is there already with other bytes is SOURCE_PATH_TAKEN. */
  readonly files: ReadonlyMap<string, Uint8Array>;
};

export type PushDeps = { readonly now: () => number; readonly random: () => number; readonly signal?: AbortSignal };

const TRIES = 6; // the first and five more
const BACKOFF = { baseMs: 50, maxMs: 500 };
const TIMEOUT_MS = 60_000;

/** Puts a commit on top of whatever the branch is at, and gives back the commit that holds what `build` asks for: the tip itself when nothing differs. Never
 *  forces: when somebody else was faster it builds anew on their commit, five times at most, then SOURCE_PUSH_RACED. A hook's or protection's no is
 *  SOURCE_PUSH_REFUSED at once. A connection that breaks leaves the whole commit or nothing; where it is SOURCE_UNREACHABLE the
 *  commit may still land, and the same call again is right either way. */
export async function pushCommit(request: PushCommit, deps: PushDeps): Promise<Oid> {
  if (!/^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*$/.test(request.branch))
    throw new MooringError("SOURCE_MISCONFIGURED", "branch name", { why: "not a plain branch name" });
  const place = parsePlace(request.url);
  if (place.kind === "local") {
    await requireRepository(place.gitdir);
    return retrying(deps, () => withFolder((folder) => commitLocal(place.gitdir, folder, request, deps)));
  }
  const transport = openTransport(place, request);
  const work = (signal: AbortSignal): Promise<Oid> => withFolder((folder) => commitRemote(transport, folder, request, deps, signal));
  try {
    return await retrying(deps, () => withDeadline("pushing", TIMEOUT_MS, work, deps.signal));
  } finally {
    transport.close();
  }
}

/** Adds `files` as `pushCommit` does; what is there is never changed. */
export function commitFiles({ files, ...request }: CommitFiles, deps: PushDeps): Promise<Oid> {
  const build = async ({ holds }: Parent): Promise<TreeEdits> => {
    for (const [path, bytes] of files)
      if ((await holds(path, bytes)) === false)
        throw new MooringError("SOURCE_PATH_TAKEN", path, { why: "it is there already with other content" });
    return files;
  };
  return pushCommit({ ...request, build }, deps);
}

async function retrying(deps: PushDeps, work: () => Promise<Oid>): Promise<Oid> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (err) {
      if (!hasCode(err, "SOURCE_PUSH_RACED") || attempt >= TRIES) throw err;
      await sleep(backoffMs(attempt, BACKOFF, deps.random()) * (0.5 + deps.random()), deps.signal);
    }
    deps.signal?.throwIfAborted();
  }
}

async function commitLocal(gitdir: string, folder: string, request: PushCommit, deps: PushDeps): Promise<Oid> {
  const tip = await localTip(gitdir, request.branch);
  const commit = await build({ objects: new Objects(gitdir), tip, scratch: folder }, request, deps);
  if (commit === tip) return commit;
  await publish(folder, gitdir);
  await moveRef(gitdir, request.branch, tip, commit);
  return commit;
}

async function commitRemote(transport: Transport, gitdir: string, request: PushCommit, deps: PushDeps, signal: AbortSignal): Promise<Oid> {
  const ref = `refs/heads/${request.branch}`;
  const look = async (): Promise<Oid | null> => (await transport.listRefs([ref], signal)).get(ref) ?? null;
  const objects = new Objects(gitdir);
  const tip = await look();
  if (tip !== null) await fetchTip(transport, gitdir, objects, tip, signal); // the newest commit holds every file
  const commit = await build({ objects, tip, scratch: gitdir }, request, deps);
  if (commit === tip) return commit;
  try {
    await transport.push({ ref, from: tip, to: commit }, gitdir, signal);
  } catch (err) {
    if (!hasCode(err, "SOURCE_UNREACHABLE")) throw err;
    const now = await whereNow(look, err);
    if (now === commit) return commit; // it landed; only the answer got lost
    if (now === tip) throw err;
    throw new MooringError("SOURCE_PUSH_RACED", `branch ${request.branch}`, {
      why: "the connection broke and the branch moved",
      cause: err,
    });
  }
  return commit;
}

/** Where the branch is after a push that nobody answered; throws `err` when that can't be learned either. */
async function whereNow(look: () => Promise<Oid | null>, err: MooringError): Promise<Oid | null> {
  try {
    return await look();
  } catch (again) {
    if (again instanceof MooringError) throw err;
    throw again;
  }
}

/** `scratch` takes the new objects: a folder that goes after the push. */
type Ground = { readonly objects: Objects; readonly tip: Oid | null; readonly scratch: string };

async function build({ objects, tip, scratch }: Ground, request: PushCommit, deps: PushDeps): Promise<Oid> {
  const root = tip === null ? null : (await objects.commit(tip)).tree;
  const parent: Parent = {
    commit: tip,
    read: async (path) => {
      const file = await fileAt(objects, root, path);
      return file === null ? null : objects.blob(file.oid);
    },
    holds: async (path, bytes) => {
      const file = await fileAt(objects, root, path);
      return file === null ? null : file.oid === hashObject("blob", bytes);
    },
  };
  const edits = await request.build(parent);
  const make = await makerIn(scratch);
  const tree = await editTree(objects, root, edits, make);
  if (tree === root && tip !== null) return tip;
  const { author, message, sign } = request;
  return make.commit({ tree, parent: tip, author, message, seconds: Math.floor(deps.now() / 1000), sign });
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mooring-push-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
