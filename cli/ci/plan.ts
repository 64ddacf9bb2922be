import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Deps } from "../fleet/open.ts";
import type { Out } from "../io.ts";
import { markerOf, MAX_SUMMARY, render, type RenderOptions, type ReportFormat } from "../report/index.ts";
import { clipped } from "../report/plain.ts";
import { linesOf } from "../report/print.ts";
import { type CommitStatus, exitCodeOf, type Looked, lookAtCheckout, statusesOf } from "../review/index.ts";
import { type Env, readEvent, treeUrl } from "./env.ts";
import type { CiEvent } from "./event.ts";
import { failureOf } from "./failure.ts";
import type { Posting } from "./posting.ts";

export type CiPlanOptions = {
  /** The checkout of the fleet repo. */
  readonly repo: string;
  /** Folder for what is written; made where it is missing. */
  readonly out: string;
  readonly trustRoot: Digest | null;
};

const FILES: Readonly<Record<Exclude<ReportFormat, "github">, string>> = {
  table: "review.txt",
  markdown: "review.md",
  sarif: "review.sarif",
  json: "review.json",
  rdjson: "review.rdjson",
  gitlab: "gitlab.json",
};

/** `mooring ci plan`: reviews what the event is about, without token or network. Annotations go to `out`, the page to the step summary, every other form to
 *  files, and `posting.json` beside them for `ci post`. A change that can't be judged is written as a failure, never left out. Gives 0 when it is
 *  written, whatever the plan says: `exit-code` is an output of the step. Throws CI_EVENT_REFUSED, CI_MISCONFIGURED. */
export async function ciPlan(options: CiPlanOptions, env: Env, out: Out, deps: Pick<Deps, "clock">): Promise<number> {
  const event = await readEvent(env);
  await mkdir(options.out, { recursive: true });
  const { posting, annotations, summary, exitCode } = await judged(options, event, env, deps);
  out.write(annotations);
  await writeFile(join(options.out, "posting.json"), `${JSON.stringify(posting)}\n`);
  await appendTo(env["GITHUB_STEP_SUMMARY"], summary);
  await appendTo(env["GITHUB_OUTPUT"], `exit-code=${exitCode}\n`);
  return 0;
}

type Result = { readonly posting: Posting; readonly annotations: string; readonly summary: string; readonly exitCode: number };

async function judged(options: CiPlanOptions, event: CiEvent, env: Env, deps: Pick<Deps, "clock">): Promise<Result> {
  const { repo, trustRoot } = options;
  try {
    const looked = await lookAtCheckout(
      { repo, base: event.base, into: event.into, head: event.head, pr: event.pr, trustRoot, live: null },
      deps,
    );
    return await written(options.out, looked, event, env);
  } catch (err) {
    if (!(err instanceof MooringError)) throw err;
    return failureOf(err);
  }
}

async function written(dir: string, looked: Looked, event: CiEvent, env: Env): Promise<Result> {
  const { review } = looked;
  const note = noteOf(looked);
  const form: RenderOptions = {
    ...(note === null ? {} : { note }),
    links: { base: treeUrl(env, event.repository, review.base), head: treeUrl(env, event.repository, event.head) },
  };
  const quoting: RenderOptions = { ...form, lineOf: await linesOf(looked) }; // columns in bytes; no other form gets lines to quote
  for (const [format, name] of Object.entries(FILES))
    await writeFile(join(dir, name), render(review, format as ReportFormat, format === "rdjson" ? quoting : form));
  const statuses = statusesOf(review).map((status) => (note === null ? status : selfJudged(status)));
  return {
    posting: { v: 1, marker: markerOf(review.fleet), comment: render(review, "markdown", form), statuses },
    annotations: `${note === null ? "" : `::warning title=mooring::${note}\n`}${render(review, "github", form)}`,
    summary: render(review, "markdown", { ...form, limit: { max: MAX_SUMMARY, in: "bytes" } }),
    exitCode: exitCodeOf(review),
  };
}

const CI_FILE = /^\.(?:github|forgejo|gitea)\/(?:workflows|actions)\/|^\.gitlab-ci\.yml$/;

/** A branch brings its own workflows, so where it changes them the check is the branch's own word. */
export function noteOf({ base, head }: Pick<Looked, "base" | "head">): string | null {
  const paths = new Set([...(base?.files.keys() ?? []), ...head.files.keys()].filter((path) => CI_FILE.test(path)));
  const changed = [...paths].filter((path) => base?.files.get(path)?.oid !== head.files.get(path)?.oid);
  if (changed.length === 0 || base === null) return null;
  return `this change touches ${changed.length} of the workflows that judge it, so what stands here is the word of the branch itself`;
}

const MAX_DESCRIPTION = 140;

function selfJudged(status: CommitStatus): CommitStatus {
  return { ...status, description: clipped(`changes its own workflow · ${status.description}`, MAX_DESCRIPTION) };
}

async function appendTo(path: string | undefined, text: string): Promise<void> {
  if (path !== undefined && path !== "") await appendFile(path, text);
}
