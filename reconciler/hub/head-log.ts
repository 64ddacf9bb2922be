import { type Log, refusalFields } from "#base/log/index.ts";
import { releaseName } from "#proof/release/index.ts";
import type { Time } from "#base/time/index.ts";
import { ageingOf } from "../revision/index.ts";
import type { SourceView } from "./source-loop.ts";

type Seen = Pick<SourceView, "head" | "names" | "wait" | "warning" | "target">;

/** Says in the log, once for each change, why main's newest commit does not run and what is wrong with the one that does. */
export function makeHeadLog(log: Log): (view: Seen, now: Time) => void {
  let last = "";
  return ({ head, names, wait, warning, target }, now) => {
    const ageing = target === null ? null : ageingOf(target.head, target.secrets, now);
    const said = JSON.stringify([
      head?.revision,
      head?.outcome.at,
      head?.cover?.at,
      wait,
      warning,
      ageing?.code,
      ageing?.message,
      findingsOf(head),
    ]);
    if (said === last || head === null) return;
    last = said;
    const known = head.cover !== null && "head" in head.cover ? head.cover.head : null;
    const release = known === null ? {} : { release: releaseName(known.release) };
    const commit = { revision: head.revision, author: names.get(head.revision), ...release };
    for (const { file, line, col, code, rule, message, fix } of findingsOf(head))
      log.warn(
        { ...commit, code, rule, what: `${file}:${line}:${col} ${message}`, fix },
        "main's newest commit is refused; what ran before goes on",
      );
    if (wait !== null) log.info({ ...commit, ...refusalFields(wait) }, "main's newest commit waits");
    if (ageing !== null) log.warn(refusalFields(ageing), "the release in force grows old");
    if (warning !== null) log.warn(refusalFields(warning), "about what runs");
  };
}

const MAX_TOLD = 20;

function findingsOf(head: Seen["head"]) {
  return head?.outcome.at === "refused" ? head.outcome.findings.slice(0, MAX_TOLD) : [];
}
