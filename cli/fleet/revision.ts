import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "#reconciler/source/index.ts";
import type { Fleet } from "./open.ts";

/** What a person gave as a revision, and how to call it when talking to them. */
export type Revision = { readonly oid: Oid; readonly name: string };

// Where forges keep the newest commit of pull request 42: GitHub, Gitea, Forgejo; GitLab; Azure and Bitbucket have none.
const REQUESTS = [
  { name: "pull request", ref: (number: string) => `refs/pull/${number}/head` },
  { name: "merge request", ref: (number: string) => `refs/merge-requests/${number}/head` },
] as const;

/** A pull request (`42`, `#42`, GitLab's `!42`), a branch, or a commit of 40 hex digits, which is fetched where this copy lacks it. Throws SOURCE_OBJECT_MISSING. */
export async function findRevision(fleet: Pick<Fleet, "source" | "tipOf" | "fetchCommit">, text: string): Promise<Revision> {
  if (/^[0-9a-f]{40}$/.test(text)) return { oid: await commitOf(fleet, text), name: text.slice(0, 8) };
  const [, number] = /^[#!]?([1-9]\d{0,8})$/.exec(text) ?? [];
  if (number !== undefined)
    for (const { name, ref } of REQUESTS) {
      const oid = await fleet.tipOf(ref(number));
      if (oid !== null) return { oid, name: `${name} ${number} (${oid.slice(0, 8)})` };
    }
  const oid = await fleet.tipOf(text);
  if (oid !== null) return { oid, name: text };
  if (number === undefined)
    throw new MooringError("SOURCE_OBJECT_MISSING", `branch ${text}`, { why: "the fleet repo has no such branch", fix: FIX });
  throw new MooringError("SOURCE_OBJECT_MISSING", `pull request ${number}`, {
    why: `the fleet repo has neither ${REQUESTS.map(({ ref }) => ref(number)).join(" nor ")}, nor a branch ${text}`,
    fix: "name the pull request's branch: not every git server keeps a reference for pull requests",
  });
}

export async function revisionOf(fleet: Pick<Fleet, "source" | "tipOf" | "fetchCommit">, text: string): Promise<Oid> {
  return (await findRevision(fleet, text)).oid;
}

const FIX = "look at the branch's name; a pull request is named by its number, a commit by its 40 digits";

async function commitOf({ source, fetchCommit }: Pick<Fleet, "source" | "fetchCommit">, oid: Oid): Promise<Oid> {
  try {
    await fetchCommit(oid);
    await source.withObjects((objects) => objects.commit(oid));
    return oid;
  } catch (err) {
    if (!(err instanceof MooringError) || err.code === "SOURCE_CORRUPT") throw err;
    throw new MooringError("SOURCE_OBJECT_MISSING", `commit ${oid}`, {
      why: "neither this copy has it nor does the git server give it by its id",
      fix: "name its branch instead",
      cause: err,
    });
  }
}
