import fs from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { addRemote, fetch, type HttpClient, init, listServerRefs, writeRef } from "isomorphic-git";
import { makeFolder } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { exists } from "./exists.ts";
import { gitTransport } from "./http.ts";
import { Objects, type Oid } from "./objects.ts";
import { mayCarryToken } from "./transport/url.ts";

export type Access = {
  readonly url: string;
  /** Asked only when the server wants a password; it is kept nowhere. */
  readonly token?: (() => Promise<string> | string) | undefined;
  readonly ca?: string | undefined;
  readonly maxBytes: number;
};

/** Branch → tip, of those branches that exist on the server. Two small requests (protocol 2, by prefix), whatever the repository's size. */
export async function listTips(access: Access, branches: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Oid>> {
  const tips = new Map<string, Oid>();
  for (const prefix of commonPrefixes(branches)) {
    const refs = await calling(access, () => listServerRefs({ ...wire(access, signal), prefix, protocolVersion: 2 }));
    for (const { ref, oid } of refs) {
      const branch = ref.replace(/^refs\/heads\//, "");
      if (branches.includes(branch) && /^[0-9a-f]{40}$/.test(oid)) tips.set(branch, oid);
    }
  }
  return tips;
}

/** The library takes one prefix a call: `refs/heads/m` serves main and mooring/… together. */
function commonPrefixes(branches: readonly string[]): readonly string[] {
  const first = branches[0] ?? "";
  let length = 0;
  while (length < first.length && branches.every((branch) => branch[length] === first[length])) length++;
  return length > 0 ? [`refs/heads/${first.slice(0, length)}`] : branches.map((branch) => `refs/heads/${branch}`);
}

/** Makes `gitdir` an empty copy that can fetch from `url`. */
export async function initCopy(gitdir: string, url: string): Promise<void> {
  await makeFolder(gitdir);
  await init({ fs, dir: gitdir, gitdir, bare: true, defaultBranch: "main" });
  await addRemote({ fs, dir: gitdir, gitdir, remote: "origin", url, force: true });
}

/** Downloads `branch` with its history into `gitdir` and gives back the tip that arrived (it may be newer than the listing). Afterwards our
 *  own reference names it, so that the next fetch says what we have and costs only what is new. Never with a depth: see README. */
export async function fetchBranch(
  access: Access,
  gitdir: string,
  objects: Objects,
  branch: string,
  signal: AbortSignal,
  depth?: number,
): Promise<Oid> {
  const place = { fs, dir: gitdir, gitdir, cache: objects.cache };
  const shallow = depth === undefined ? {} : { depth };
  const options = {
    ...place,
    ...wire(access, signal, branch),
    ref: branch,
    remoteRef: `refs/heads/${branch}`,
    remote: "origin",
    singleBranch: true,
    tags: false,
    ...shallow,
  };
  const { fetchHead } = await calling(access, () => fetch(options));
  if (fetchHead === null)
    throw new MooringError("SOURCE_UNREACHABLE", `branch ${branch} of ${access.url}`, { why: "the server offers nothing" });
  await objects.commit(fetchHead); // there, whole, and what its id says
  await writeRef({ ...place, ref: `refs/heads/${branch}`, value: fetchHead, force: true });
  return fetchHead;
}

/** Puts a fresh copy in place of `gitdir`. A crash in between leaves no copy or the new one; either is made again or used. */
export async function swapCopy(gitdir: string, fresh: string): Promise<void> {
  const old = `${fresh}.old`;
  if (await exists(gitdir)) await rename(gitdir, old);
  await rename(fresh, gitdir);
  await rm(old, { recursive: true, force: true });
}

/** Removes what an interrupted copy or swap left beside `gitdir`. */
export async function sweepCopies(gitdir: string): Promise<void> {
  await makeFolder(dirname(gitdir));
  for (const name of await readdir(dirname(gitdir))) {
    if (name.startsWith(`${basename(gitdir)}.fresh-`)) await rm(join(dirname(gitdir), name), { recursive: true, force: true });
  }
}

/** What every call to isomorphic-git over HTTP is given. */
export function wire(
  access: Access,
  signal: AbortSignal,
  branch?: string,
): { http: HttpClient; url: string; onAuth: () => Promise<object>; onAuthFailure: () => object } {
  return {
    http: gitTransport({ ca: access.ca, maxBytes: access.maxBytes, signal, branch }),
    url: access.url,
    onAuth: async () => {
      if (access.token === undefined || !mayCarryToken(access.url)) return { cancel: true };
      return { username: "x-access-token", password: await access.token() };
    },
    onAuthFailure: () => ({ cancel: true }),
  };
}

/** Runs one call of the library; what it throws becomes ours. */
export async function calling<T>(access: Access, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof MooringError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (code === "UserCanceledError") throw denied(access, cause);
    if (code === "InternalError" || code === "NotFoundError")
      throw new MooringError("SOURCE_CORRUPT", access.url, { why: "what arrived does not fit together", cause });
    throw new MooringError("SOURCE_UNREACHABLE", access.url, { why: "the answer is not git's", cause });
  }
}

function denied(access: Access, cause: unknown): MooringError {
  const bare = access.token !== undefined && !mayCarryToken(access.url);
  const why = bare
    ? "it wants a password, and ours does not travel over plain http"
    : access.token === undefined
      ? "it wants a password and none is configured"
      : "it refused the token";
  return new MooringError("SOURCE_DENIED", access.url, { why, cause });
}
