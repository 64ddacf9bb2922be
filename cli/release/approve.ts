import { MooringError } from "#base/errors/index.ts";
import { newLoadCache } from "#reconciler/desired/index.ts";
import { filesIn, outcomeOf } from "#reconciler/revision/index.ts";
import { mergeBases, type Merged, mergeTrees, type Oid } from "#reconciler/source/index.ts";
import { demandRead, type Deps, type Fleet, openFleet, type ReadOutcome, type SourceOptions } from "../fleet/open.ts";
import { findRevision } from "../fleet/revision.ts";
import type { Io } from "../io.ts";
import { VERSION } from "../version.ts";
import { signOutcome, type SignOptions } from "./sign.ts";

/** `mooring approve`: signs what main will ask for once `revision` is merged, whatever button merges it. */
export async function approve(options: SourceOptions & SignOptions & { readonly revision: string }, io: Io, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  const { oid, name } = await findRevision(fleet, options.revision);
  return signOutcome(fleet, await mergedOutcome(fleet, oid, name), `the merge of ${name}`, options, io, deps);
}

/** The outcome of merging `theirs` into main, made in memory; throws MERGE_CONFLICT naming files. */
export async function mergedOutcome(fleet: Fleet, theirs: Oid, name: string): Promise<ReadOutcome> {
  const merged = await mergeWith(fleet, theirs, name);
  if (merged.at === "conflict")
    throw new MooringError("MERGE_CONFLICT", `${name} into main: ${merged.paths.join(", ")}`, {
      why: "both sides changed them",
    });
  const blobs = { readBlob: async (oid: Oid) => merged.made.get(oid) ?? (await fleet.source.readBlob(oid)) };
  return demandRead(await outcomeOf(theirs, merged.files, filesIn(blobs, merged.files), newLoadCache(), VERSION));
}

function mergeWith({ source, main }: Fleet, theirs: Oid, name: string): Promise<Merged> {
  return source.withObjects(async (objects) => {
    const bases = await mergeBases(objects, main, theirs);
    const [base] = bases;
    if (base === undefined || bases.length > 1)
      throw new MooringError("MERGE_CONFLICT", `${name} into main`, {
        why: base === undefined ? "they have no common history" : "their histories cross more than once",
      });
    const trees = await Promise.all([base, main, theirs].map(async (oid) => (await objects.commit(oid)).tree));
    return mergeTrees(objects, trees[0]!, trees[1]!, trees[2]!);
  });
}
