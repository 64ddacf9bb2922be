import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, MooringError } from "#base/errors/index.ts";
import type { Out } from "../io.ts";
import { putComment } from "./comment.ts";
import { type Env, needed, readEvent, runUrl } from "./env.ts";
import type { CiEvent } from "./event.ts";
import { type Forge, type ForgeDeps, forgeOf } from "./forge.ts";
import { type Posting, postingOf } from "./posting.ts";

export type CiPostOptions = {
  /** The folder that `ci plan` wrote. */
  readonly out: string;
  /** Our login at the forge. */
  readonly bot: string;
};

/** `mooring ci post`: the two statuses of the head, and on a pull request the comment. A token that may not write (as in pull requests from forks) is
 *  no error: the annotations, the summary and the artifact say the same. Throws FORGE_UNREACHABLE, FORGE_REFUSED for a fault that is not about
 *  rights, CI_EVENT_REFUSED, CI_MISCONFIGURED. */
export async function ciPost(options: CiPostOptions, env: Env, out: Out, deps: Omit<ForgeDeps, "apiUrl" | "token">): Promise<number> {
  const event = await readEvent(env);
  const posting = postingOf(await textOf(join(options.out, "posting.json")));
  const forge = forgeOf({ ...deps, apiUrl: needed(env, "GITHUB_API_URL"), token: needed(env, "GITHUB_TOKEN") });
  const url = runUrl(env, event.repository);
  await orWithoutRights(event, out, "statuses", () => postStatuses(forge, event, posting, url));
  if (event.pr === null) return 0;
  const sticky = { repository: event.repository, pr: event.pr, marker: posting.marker, body: posting.comment, bot: options.bot };
  await orWithoutRights(event, out, "comment", async () => `comment ${await putComment(forge, sticky)}`);
  return 0;
}

async function postStatuses(forge: Forge, event: CiEvent, { statuses }: Posting, url: string | null): Promise<string> {
  for (const { context, state, description } of statuses)
    await forge.repeat(`/repos/${event.repository}/statuses/${event.head}`, {
      context,
      state,
      description,
      ...(url === null ? {} : { target_url: url }),
    });
  return statuses.map(({ context, state }) => `${context} ${state}`).join(", ");
}

const NO_RIGHTS = /answered (?:403|404)$/; // GitHub answers 404 where it does not want to say 403

/** Does `work`; where the token lacks the right to it says so, and where everything is. On our own branches that is a mistake in the workflow. */
async function orWithoutRights({ isFork }: CiEvent, out: Out, what: string, work: () => Promise<string>): Promise<void> {
  try {
    out.write(`${await work()}\n`);
  } catch (err) {
    if (!hasCode(err, "FORGE_REFUSED") || !(err instanceof MooringError) || !NO_RIGHTS.test(err.why ?? "")) throw err;
    const why = isFork ? "a pull request from a fork has a token that only reads" : "the job lacks the permission";
    out.write(
      `::${isFork ? "notice" : "warning"} title=mooring::no ${what} written: ${why}. The step summary and the artifact have it all.\n`,
    );
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new MooringError("CI_MISCONFIGURED", path, { why: "the file can't be read: `mooring ci plan` writes it", cause });
  }
}
