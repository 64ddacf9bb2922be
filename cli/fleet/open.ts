import { join } from "node:path";
import { type Digest } from "#base/canonical/index.ts";
import { makeFolder } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Clock } from "#base/time/index.ts";
import { type Branch, branchOf, NO_BRANCH, type Outcome, type OutcomeReader, outcomeReader } from "#reconciler/revision/index.ts";
import { type Access, type AccessFiles, accessOf, type Oid, openSource, type Source } from "#reconciler/source/index.ts";
import { type Memory, memoryOf, type Remembered } from "./memory.ts";
import { VERSION } from "../version.ts";
import { fileTurns } from "./turns.ts";

/** Where the fleet repo is and what this machine knows of it. */
export type SourceOptions = {
  readonly source: string;
  /** Folder for copies of fleet repos and remembered trust roots. */
  readonly cache: string;
  readonly trustRoot?: Digest | undefined;
  /** How the git server lets us in. */
  readonly access?: AccessFiles | undefined;
};

/** One look at a fleet repo. `main` is its newest commit. */
export type Fleet = {
  readonly options: SourceOptions;
  readonly source: Source;
  readonly reader: OutcomeReader;
  readonly memory: Memory;
  readonly remembered: Remembered | null;
  readonly main: Oid;
  /** The tip of another branch, or of a full reference, in the same copy; null where there is none. */
  tipOf(branch: string): Promise<Oid | null>;
  /** Brings a commit that no branch names into the same copy, where the server gives it. */
  fetchCommit(oid: Oid): Promise<void>;
  branchFor(fleet: string): Promise<Branch>;
};

export type ReadOutcome = Outcome & { readonly at: "read" };

/** Opens the repo, looks where main and the releases are; throws REPO_EMPTY without a main branch. */
export async function openFleet(options: SourceOptions): Promise<Fleet> {
  const memory = memoryOf(options.cache, options.source);
  await makeFolder(memory.folder);
  const access = await accessFor(options);
  const turns = fileTurns(join(memory.folder, "turn"));
  const open = (branch: string): Promise<Source> =>
    openSource({
      url: options.source,
      gitdir: join(memory.folder, "source.git"),
      branch,
      stateFile: join(memory.folder, "unused.json"),
      turns,
      ...(branch === "main" ? {} : { compactAt: null }), // main's source reads the same folder
      ...access,
    });
  const source = await open("main");
  const polled = await source.poll();
  if (polled.main === null) throw new MooringError("REPO_EMPTY", "the fleet repo has no main branch");
  return {
    options,
    source,
    reader: outcomeReader(source, VERSION),
    memory,
    remembered: await memory.read(),
    main: polled.main,
    tipOf: async (branch) => (branch === "main" ? polled.main : (await (await open(branch)).poll()).main),
    fetchCommit: async (oid) => (await open("refs/heads/main")).fetchCommit(oid),
    branchFor: async (fleet) => (polled.releases === null ? NO_BRANCH : branchOf(await source.readReleases(polled.releases), fleet)),
  };
}

/** The ways into the git server that these options name. */
export function accessFor({ access, source }: Pick<SourceOptions, "access" | "source">): Promise<Access> {
  return accessOf(access ?? {}, source, process.env);
}

/** The outcome of a commit; throws FLEET_INVALID with its first finding when it can't be read. */
export async function demandOutcome(fleet: Pick<Fleet, "reader">, revision: Oid): Promise<ReadOutcome> {
  return demandRead(await fleet.reader.read(revision));
}

/** What main asks for; `other` while main can't be read, so that its repair can be planned and approved. */
export async function mainOr({ reader, main }: Pick<Fleet, "reader" | "main">, other: ReadOutcome): Promise<ReadOutcome> {
  const outcome = await reader.read(main);
  return outcome.at === "read" ? outcome : other;
}

export function demandRead(outcome: Outcome): ReadOutcome {
  if (outcome.at === "read") return outcome;
  const [first] = outcome.findings;
  const more = outcome.findings.length > 1 ? `, and ${outcome.findings.length - 1} more` : "";
  const where = first === undefined ? "" : ` ${first.file}:${first.line}:${first.col} ${first.code}`;
  const options = first === undefined ? {} : { why: first.message, fix: first.fix };
  throw new MooringError("FLEET_INVALID", `${outcome.revision.slice(0, 8)}${where}${more}`, options);
}

/** Now, for everything that depends on it. */
export type Deps = { readonly clock: Clock; readonly random: () => number };
