import { hasCode, MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import type { Holds, KnownRelease } from "#proof/release/index.ts";
import type { Finding } from "../desired/index.ts";
import type { Oid, Source } from "../source/index.ts";
import type { Branch } from "./branch.ts";
import { type Cover, cover, heldSecrets, trustOf } from "./cover.ts";
import type { Outcome, OutcomeReader } from "./outcome.ts";
import type { PolicyJudge } from "./policies.ts";
import { pruneRefusals } from "./prune.ts";

export type Target = { readonly outcome: Outcome & { readonly at: "read" }; readonly cover: Cover & { readonly at: "covered" } };

/** What of main runs, and where main's newest commit stands if that is another one. */
export type Selection = {
  readonly target: Target | null;
  readonly head: { readonly revision: Oid; readonly outcome: Outcome; readonly cover: Cover | null };
};

const MAX_COMMITS = 200;

/** The newest commit on main, from `head` back to `since` (the last verified one), that is whole, released, takes no more away than `since` allows
 *  and is not denied by its policies. What is not waits and blocks nothing older. Throws SOURCE_NOT_FAST_FORWARD through `checkAdvance` when main was rewritten. */
export async function selectTarget(input: {
  readonly source: Pick<Source, "history" | "checkAdvance">;
  readonly reader: OutcomeReader;
  readonly head: Oid;
  readonly since: Oid | null;
  readonly minSerial: number;
  /** Of the secrets release that machines are known to hold; 0 = as the last verified revision says. */
  readonly minSecrets: number;
  readonly branchFor: (fleet: string) => Branch;
  readonly holds: Holds;
  readonly now: Time;
  /** Left out = policies are not asked: for tools that only read. Without `since` there is no change to judge. */
  readonly judge?: PolicyJudge;
}): Promise<Selection> {
  await input.source.checkAdvance(input.since, input.head);
  const newer = input.since === input.head ? [] : await input.source.history(input.head, input.since, MAX_COMMITS);
  const commits = [...newer.filter((oid) => oid !== input.since), ...(input.since === null ? [] : [input.since])];
  const base = input.since === null ? null : await input.reader.read(input.since);
  const held = base?.at === "read" ? base : null;
  let first: Selection["head"] | null = null;
  for (const revision of commits) {
    const outcome = await input.reader.read(revision);
    const covered =
      outcome.at === "read"
        ? cover({
            ...outcome,
            branch: input.branchFor(outcome.resolved.fleet),
            holds: input.holds,
            now: input.now,
            minSerial: input.minSerial,
            held: held === null ? null : trustOf(held.resolved),
            minSecrets: Math.max(input.minSecrets, heldSecrets(held, input.branchFor(outcome.resolved.fleet), input.minSerial)),
          })
        : null;
    first ??= { revision, outcome, cover: covered };
    if (outcome.at !== "read" || covered?.at !== "covered" || !(await leadsOn(input.source, input.since, revision))) continue;
    const findings = input.since === null || revision === input.since ? [] : await refusals(input, held, outcome, covered.head);
    if (findings.length === 0) return { target: { outcome, cover: covered }, head: first };
    if (first.revision === revision) first = { revision, outcome: { at: "refused", revision, findings }, cover: covered };
  }
  if (first === null) throw new MooringError("REPO_EMPTY", "main has no commit");
  return { target: null, head: first };
}

/** Whether a commit stands on the last verified one. Main's first parents need not: a merge the wrong way round has a branch there that left main before,
 *  and commits older than what is in force below it. */
async function leadsOn(source: Pick<Source, "checkAdvance">, since: Oid | null, revision: Oid): Promise<boolean> {
  try {
    await source.checkAdvance(since, revision);
    return true;
  } catch (err) {
    if (hasCode(err, "SOURCE_NOT_FAST_FORWARD")) return false;
    throw err;
  }
}

/** What keeps a released change back: too much would go, or a policy of what runs denies it. */
async function refusals(
  { judge, branchFor, minSerial, now }: Pick<Parameters<typeof selectTarget>[0], "judge" | "branchFor" | "minSerial" | "now">,
  base: Target["outcome"] | null,
  next: Target["outcome"],
  release: KnownRelease,
): Promise<readonly Finding[]> {
  const guards = base === null ? [] : pruneRefusals(base, next, branchFor(next.resolved.fleet), minSerial, now);
  return [...guards, ...(judge === undefined ? [] : await judge({ base, next, release, minSerial, now }))];
}
