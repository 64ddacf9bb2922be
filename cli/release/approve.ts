import { MooringError } from "#base/errors/index.ts";
import { newLoadCache } from "#reconciler/desired/index.ts";
import { filesIn, outcomeOf } from "#reconciler/revision/index.ts";
import { mergeBases, type Merged, mergeTrees, type Oid } from "#reconciler/source/index.ts";
import { demandRead, type Deps, type Fleet, openFleet, type ReadOutcome, revisionOf, type SourceOptions } from "../fleet/open.ts";
import type { Io } from "../io.ts";
import { VERSION } from "../version.ts";
import { signOutcome, type SignOptions } from "./sign.ts";

/** `mooring approve`: signs what main will ask for once `revision` is merged, whatever button merges it. */
export async function approve(options: SourceOptions & SignOptions & { readonly revision: string }, io: Io, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  const theirs = await revisionOf(fleet, options.revision);
  return signOutcome(fleet, await mergedOutcome(fleet, theirs), `the merge of ${options.revision.slice(0, 40)}`, options, io, deps);
}

/** The outcome of merging `theirs` into main, made in memory; throws MERGE_CONFLICT naming files. */
export async function mergedOutcome(fleet: Fleet, theirs: Oid): Promise<ReadOutcome> {
  const merged = await mergeWith(fleet, theirs);
  if (merged.at === "conflict")
    throw new MooringError("MERGE_CONFLICT", `${theirs.slice(0, 8)} into main: ${merged.paths.join(", ")}`, {
      why: "both sides changed them",
    });
  const blobs = { readBlob: async (oid: Oid) => merged.made.get(oid) ?? (await fleet.source.readBlob(oid)) };
  return demandRead(await outcomeOf(theirs, merged.files, filesIn(blobs, merged.files), newLoadCache(), VERSION));
}

function mergeWith({ source, main }: Fleet, theirs: Oid): Promise<Merged> {
  return source.withObjects(async (objects) => {
    const bases = await mergeBases(objects, main, theirs);
    const [base] = bases;
    if (base === undefined || bases.length > 1)
      throw new MooringError("MERGE_CONFLICT", `${theirs.slice(0, 8)} into main`, {
        why: base === undefined ? "they have no common history" : "their histories cross more than once",
      });
    const trees = await Promise.all([base, main, theirs].map(async (oid) => (await objects.commit(oid)).tree));
    return mergeTrees(objects, trees[0]!, trees[1]!, trees[2]!);
  });
}
