import { hasCode } from "#base/errors/index.ts";
import * as z from "zod/mini";
import type { Forge } from "./forge.ts";

export type Sticky = {
  /** `owner/name`. */
  readonly repository: string;
  readonly pr: number;
  readonly marker: string;
  readonly body: string;
  /** Who we are there: only comments of this login are ever touched. */
  readonly bot: string;
};

const comments = z.array(z.object({ id: z.int(), user: z.nullable(z.object({ login: z.string() })), body: z.nullish(z.string()) }));

const TRIES = 3;
const UNKNOWN = "<!-- mooring-plan: -->"; // of a change that could not even be read
const ANY = "<!-- mooring-plan:";

/** Puts the comment there, once: the first of ours with this marker is updated where it differs, further ones of ours go. Looks again before a second try at
 *  writing a new one, since the first may have arrived. Throws FORGE_REFUSED, FORGE_UNREACHABLE. */
export async function putComment(forge: Forge, sticky: Sticky): Promise<"created" | "updated" | "unchanged"> {
  for (let attempt = 1; ; attempt++) {
    const [first, ...more] = await ownComments(forge, sticky);
    try {
      if (first !== undefined) return await update(forge, sticky, first, more);
      await forge.call("POST", `/repos/${sticky.repository}/issues/${sticky.pr}/comments`, { body: sticky.body });
      return "created";
    } catch (err) {
      if (!hasCode(err, "FORGE_UNREACHABLE") || attempt === TRIES) throw err;
    }
  }
}

type Own = { readonly id: number; readonly body: string };

async function ownComments(forge: Forge, { repository, pr, marker, bot }: Sticky): Promise<readonly Own[]> {
  const found: Own[] = [];
  for await (const page of forge.pages(`/repos/${repository}/issues/${pr}/comments?per_page=100`)) {
    const list = z.safeParse(comments, page);
    for (const { id, user, body } of list.success ? list.data : [])
      if (user?.login === bot && body?.startsWith(ANY) === true) found.push({ id, body });
  }
  const exact = found.filter(({ body }) => body.startsWith(marker) || body.startsWith(UNKNOWN));
  // A fleet whose name can't be read writes over the one comment that there is; of several it can't tell which is its own.
  return exact.length === 0 && marker === UNKNOWN && found.length === 1 ? found : exact;
}

async function update(forge: Forge, { repository, body }: Sticky, first: Own, more: readonly Own[]): Promise<"updated" | "unchanged"> {
  const at = (id: number): string => `/repos/${repository}/issues/comments/${id}`;
  for (const { id } of more) await forge.call("DELETE", at(id));
  if (first.body.replaceAll("\r\n", "\n").trimEnd() === body.trimEnd()) return "unchanged";
  await forge.call("PATCH", at(first.id), { body });
  return "updated";
}
