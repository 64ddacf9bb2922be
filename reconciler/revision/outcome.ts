import { hasCode, MooringError } from "#base/errors/index.ts";
import {
  type Finding,
  finding,
  type FleetFiles,
  type FleetRepo,
  gate,
  hasErrors,
  type LoadCache,
  loadFleet,
  newLoadCache,
  type Resolved,
  type Roots,
  resolve,
  rootsOf,
} from "../desired/index.ts";
import type { Oid, Source, Tree } from "../source/index.ts";

/** What one commit asks for. `read` = whole and within what this version can do; `refused` = the findings say why not. */
export type Outcome =
  | {
      readonly at: "read";
      readonly revision: Oid;
      readonly repo: FleetRepo;
      readonly resolved: Resolved;
      readonly roots: Roots;
      readonly tree: Tree;
    }
  | { readonly at: "refused"; readonly revision: Oid; readonly findings: readonly Finding[] };

/** Reads commits of one source; blobs that did not change are not parsed again, and the last outcomes are kept. */
export type OutcomeReader = {
  read(revision: Oid): Promise<Outcome>;
  blob(outcome: Outcome & { at: "read" }, path: string): Promise<Uint8Array | null>;
};

const KEPT = 8;
const TOP = { line: 1, col: 1, endLine: 1, endCol: 1 };

export function outcomeReader(source: Pick<Source, "readTree" | "readBlob">, version: string): OutcomeReader {
  const cache = newLoadCache();
  const kept = new Map<Oid, Outcome>();
  return {
    async read(revision) {
      const known = kept.get(revision);
      if (known !== undefined) return known;
      const outcome = await refusing(revision, async () => {
        const tree = await source.readTree(revision);
        return outcomeOf(revision, tree, filesIn(source, tree), cache, version);
      });
      kept.set(revision, outcome);
      if (kept.size > KEPT) kept.delete([...kept.keys()][0] ?? revision);
      return outcome;
    },
    async blob(outcome, path) {
      const file = outcome.tree.get(path);
      return file === undefined ? null : source.readBlob(file.oid);
    },
  };
}

/** A tree's outcome from its files, wherever they come from. */
export async function outcomeOf(revision: Oid, tree: Tree, files: FleetFiles, cache: LoadCache, version: string): Promise<Outcome> {
  const { fleet, findings } = await loadFleet(files, { cache, version });
  if (fleet === undefined) return { at: "refused", revision, findings: findings.filter(({ level }) => level === "error") };
  const gated = gate(fleet);
  if (hasErrors(gated)) return { at: "refused", revision, findings: gated };
  const resolved = resolve(fleet);
  return { at: "read", revision, repo: fleet, resolved, roots: rootsOf(resolved), tree };
}

export function filesIn(source: Pick<Source, "readBlob">, tree: Tree): FleetFiles {
  return new Map([...tree].map(([path, { oid }]) => [path, { oid, read: () => readFile(source, path, oid) }]));
}

async function readFile(source: Pick<Source, "readBlob">, path: string, oid: Oid): Promise<Uint8Array> {
  try {
    return await source.readBlob(oid);
  } catch (err) {
    if (!hasCode(err, "SOURCE_TOO_LARGE")) throw err;
    throw new MooringError("SOURCE_TOO_LARGE", path, { why: err.why ?? "", have: path, cause: err });
  }
}

/** A tree that may not be what it is refuses its own commit and no other: what is older still runs. */
async function refusing(revision: Oid, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (err) {
    if (!hasCode(err, "SOURCE_TREE_REFUSED") && !hasCode(err, "SOURCE_TOO_LARGE")) throw err;
    const file = typeof err.have === "string" ? err.have : ".";
    return { at: "refused", revision, findings: [finding(err.code, file, TOP, err.why ?? err.message, err.fix)] };
  }
}
