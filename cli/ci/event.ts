import { MooringError } from "#base/errors/index.ts";
import * as z from "zod/mini";

/** What a forge runs us for: which two commits, and where the answer goes. */
export type CiEvent = {
  readonly name: "pull_request" | "merge_group" | "push";
  /** `owner/name`. */
  readonly repository: string;
  /** Null = the main branch: the first push of another one. */
  readonly base: string | null;
  /** The branch that a pull request goes to, as a clone has it: `base` is where it stood when the event came, and a job may be run again much later. */
  readonly into: string | null;
  readonly head: string;
  readonly pr: number | null;
  /** The branch is of another repository, so the job's token may only read. */
  readonly isFork: boolean;
};

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const sha = z.string().check(z.regex(COMMIT));
const repo = z.object({ full_name: z.string().check(z.regex(/^(?!\.+\/)[\w.-]+\/(?!\.+$)[\w.-]+$/)) });

const pullRequest = z.object({
  repository: repo,
  pull_request: z.object({
    number: z.int().check(z.minimum(1)),
    base: z.object({ sha, ref: z.optional(z.string()) }),
    head: z.object({ sha, repo: z.nullable(repo) }),
  }),
});
const mergeGroup = z.object({ repository: repo, merge_group: z.object({ base_sha: sha, head_sha: sha }) });
const push = z.object({ repository: repo, before: sha, after: sha });

/** Reads GITHUB_EVENT_NAME and the text of GITHUB_EVENT_PATH, which Forgejo and Gitea write alike. Throws CI_EVENT_REFUSED for any other event (among them
 *  pull_request_target, whatever the job does) and for a push that deletes, CI_MISCONFIGURED for another shape. Pure. */
export function eventOf(name: string, text: string): CiEvent {
  switch (name) {
    case "pull_request": {
      const { repository, pull_request: own } = parsed(pullRequest, name, text);
      const isFork = own.head.repo?.full_name !== repository.full_name;
      const into = own.base.ref === undefined ? null : `refs/remotes/origin/${own.base.ref}`;
      return { name, repository: repository.full_name, base: own.base.sha, into, head: own.head.sha, pr: own.number, isFork };
    }
    case "merge_group": {
      const { repository, merge_group: own } = parsed(mergeGroup, name, text);
      return { name, repository: repository.full_name, base: own.base_sha, into: null, head: own.head_sha, pr: null, isFork: false };
    }
    case "push": {
      const { repository, before, after } = parsed(push, name, text);
      if (isZero(after)) throw new MooringError("CI_EVENT_REFUSED", "push", { why: "it deletes a branch" });
      return {
        name,
        repository: repository.full_name,
        base: isZero(before) ? null : before,
        into: null,
        head: after,
        pr: null,
        isFork: false,
      };
    }
    default:
      throw new MooringError("CI_EVENT_REFUSED", `event ${/^\w{1,40}$/.test(name) ? name : "without a name"}`);
  }
}

function isZero(commit: string): boolean {
  return /^0+$/.test(commit);
}

function parsed<T extends z.core.$ZodType>(schema: T, name: string, text: string): z.output<T> {
  const result = z.safeParse(schema, jsonOf(text, name));
  if (result.success) return result.data;
  throw new MooringError("CI_MISCONFIGURED", `event ${name}`, { why: "its file has another shape", cause: result.error });
}

function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MooringError("CI_MISCONFIGURED", `event ${name}`, { why: "its file is no JSON", cause });
  }
}
