import { readFile } from "node:fs/promises";
import { MooringError } from "#base/errors/index.ts";
import { type CiEvent, eventOf } from "./event.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** A variable that the forge sets for every job. Throws CI_MISCONFIGURED. */
export function needed(env: Env, name: string): string {
  const value = env[name];
  if (value === undefined || value === "") throw new MooringError("CI_MISCONFIGURED", name, { why: "the variable is not set" });
  return value;
}

/** The event of this job. */
export async function readEvent(env: Env): Promise<CiEvent> {
  const name = needed(env, "GITHUB_EVENT_NAME");
  if (name === "pull_request_target") return eventOf(name, "{}"); // refused before anything of it is read
  const path = needed(env, "GITHUB_EVENT_PATH");
  try {
    return eventOf(name, await readFile(path, "utf8"));
  } catch (cause) {
    if (cause instanceof MooringError) throw cause;
    throw new MooringError("CI_MISCONFIGURED", "GITHUB_EVENT_PATH", { why: "the file can't be read", cause });
  }
}

/** Where the forge shows the files of a commit, ending in `/`; null where it does not say. */
export function treeUrl(env: Env, repository: string, commit: string | null): string | null {
  const server = env["GITHUB_SERVER_URL"] ?? "";
  if (commit === null || !/^https?:\/\/[\w.:[\]-]+$/.test(server)) return null;
  const isForgejo = env["FORGEJO_ACTIONS"] === "true" || env["GITEA_ACTIONS"] === "true";
  return `${server}/${repository}/${isForgejo ? "src/commit" : "blob"}/${commit}/`;
}

/** The page of this run, for a status to link to. */
export function runUrl(env: Env, repository: string): string | null {
  const server = env["GITHUB_SERVER_URL"] ?? "";
  const run = env["GITHUB_RUN_ID"] ?? "";
  return /^https?:\/\/[\w.:[\]-]+$/.test(server) && /^\d+$/.test(run) ? `${server}/${repository}/actions/runs/${run}` : null;
}
