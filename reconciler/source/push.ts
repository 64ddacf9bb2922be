import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { push, writeRef } from "isomorphic-git";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { backoffMs, sleep, withDeadline } from "#base/time/index.ts";
import { addToTree, type Person, writeCommit } from "./build.ts";
import { localTip, requireRepository } from "./local.ts";
import { moveRef } from "./move-ref.ts";
import { Objects, type Oid } from "./objects.ts";
import { type Access, calling, fetchBranch, initCopy, listTips, wire } from "./remote.ts";
import { parsePlace } from "./transport/url.ts";

export type CommitFiles = {
  /** As in SourceConfig: an absolute path, file:// or http(s)://. */
  readonly url: string;
  readonly token?: () => Promise<string> | string;
  readonly ca?: string;
  readonly branch: string;
  /** New files by path. A path that is there already with other bytes is SOURCE_PATH_TAKEN. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly message: string;
  readonly author: Person;
};

export type PushDeps = { readonly now: () => number; readonly random: () => number; readonly signal?: AbortSignal };

const TRIES = 6; // the first and five more
const BACKOFF = { baseMs: 50, maxMs: 500 };
const TIMEOUT_MS = 60_000;
const MAX_BYTES = 256 << 20;

/** Adds `files` on top of whatever the branch is at (an orphan branch where there is none) and gives back the commit that holds them; the
 *  tip itself when they are all there already. Never forces: when somebody else was faster it builds anew on their commit, five times at
 *  most, then SOURCE_PUSH_RACED. */
export async function commitFiles(request: CommitFiles, deps: PushDeps): Promise<Oid> {
  if (!/^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*$/.test(request.branch))
    throw new MooringError("SOURCE_MISCONFIGURED", "branch name", { why: "not a plain branch name" });
  const place = parsePlace(request.url);
  if (place.kind === "local") {
    await requireRepository(place.gitdir);
    return retrying(request, deps, () => commitLocal(place.gitdir, request, deps));
  }
  const access: Access = { url: place.url, token: request.token, ca: request.ca, maxBytes: MAX_BYTES };
  const work = (signal: AbortSignal): Promise<Oid> => withFolder((folder) => commitRemote(access, folder, request, deps, signal));
  return retrying(request, deps, () => withDeadline("pushing", TIMEOUT_MS, work, deps.signal));
}

async function retrying(request: CommitFiles, deps: PushDeps, work: () => Promise<Oid>): Promise<Oid> {
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

async function commitLocal(gitdir: string, request: CommitFiles, deps: PushDeps): Promise<Oid> {
  const tip = await localTip(gitdir, request.branch);
  const commit = await build(gitdir, new Objects(gitdir), tip, request, deps);
  if (commit !== tip) await moveRef(gitdir, request.branch, tip, commit);
  return commit;
}

async function commitRemote(access: Access, folder: string, request: CommitFiles, deps: PushDeps, signal: AbortSignal): Promise<Oid> {
  const gitdir = join(folder, "push.git");
  await initCopy(gitdir, access.url);
  const objects = new Objects(gitdir);
  const there = (await listTips(access, [request.branch], signal)).has(request.branch);
  const tip = there ? await fetchBranch(access, gitdir, objects, request.branch, signal, 1) : null; // the newest commit holds every file
  const commit = await build(gitdir, objects, tip, request, deps);
  if (commit === tip) return commit;
  const place = { fs, dir: gitdir, gitdir, cache: objects.cache };
  await writeRef({ ...place, ref: `refs/heads/${request.branch}`, value: commit, force: true });

  await calling(access, async () => {
    try {
      await push({
        ...place,
        ...wire(access, signal),
        ref: request.branch,
        remoteRef: `refs/heads/${request.branch}`,
        remote: "origin",
      });
    } catch (cause) {
      throw pushError(cause, request.branch);
    }
  });
  return commit;
}

async function build(gitdir: string, objects: Objects, tip: Oid | null, request: CommitFiles, deps: PushDeps): Promise<Oid> {
  const root = tip === null ? null : (await objects.commit(tip)).tree;
  const tree = await addToTree(gitdir, objects, root, request.files);
  if (tree === root && tip !== null) return tip;
  return writeCommit(gitdir, {
    tree,
    parent: tip,
    author: request.author,
    message: request.message,
    seconds: Math.floor(deps.now() / 1000),
  });
}

/** Someone moved the branch between our listing and our push (seen here or by the server), or the server said no. */
function pushError(cause: unknown, branch: string): unknown {
  if (cause instanceof MooringError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const text = cause instanceof Error ? cause.message : "";
  if (code === "PushRejectedError" || code === "NotFoundError") return raced(branch, "somebody else pushed meanwhile", cause);
  if (code !== "GitPushError") return cause;
  if (/fetch first|non-fast-forward|failed to (?:update|lock) ref|cannot lock ref|reference already exists|incorrect old value/i.test(text))
    return raced(branch, "somebody else pushed meanwhile", cause);
  return new MooringError("SOURCE_PUSH_REFUSED", `branch ${branch}`, {
    why: "the server refused the push (a hook or a protection of the branch)",
    cause,
  });
}

function raced(branch: string, why: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_PUSH_RACED", `branch ${branch}`, { why, cause });
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mooring-push-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
