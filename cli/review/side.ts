import {
  type Finding,
  type FleetFiles,
  type FleetRepo,
  gate,
  type LoadCache,
  loadFleet,
  newLoadCache,
  newResolveCache,
  type ResolveCache,
  type Resolved,
  resolve,
  sortFindings,
} from "#reconciler/desired/index.ts";

/** One tree of a review. What can't be read has findings and no `whole`; what this version can't run has both, since people want to see its plan too. */
export type Side = {
  /** A commit id, or "worktree". */
  readonly revision: string;
  readonly files: FleetFiles;
  readonly findings: readonly Finding[];
  /** Text of `trust/allowed_signers`, for the lines in it. */
  readonly signers: string;
  readonly whole: { readonly repo: FleetRepo; readonly resolved: Resolved } | null;
};

/** What several trees of one repo share: parsed files, and sections that come of them. */
export type SideCache = { readonly load: LoadCache; readonly resolve: ResolveCache };

export function newSideCache(): SideCache {
  return { load: newLoadCache(), resolve: newResolveCache() };
}

/** Reads a tree as the hub would; what `cache` knows is not read again. */
export async function readSide(revision: string, files: FleetFiles, cache: SideCache, version: string): Promise<Side> {
  const { fleet: repo, findings } = await loadFleet(files, { cache: cache.load, version });
  if (repo === undefined) return { revision, files, findings, signers: "", whole: null };
  const signers = await files.get(repo.fleet.doc.spec.trust.commits.allowedSigners)?.read();
  return {
    revision,
    files,
    findings: sortFindings([...findings, ...gate(repo)]),
    signers: Buffer.from(signers ?? []).toString("utf8"),
    whole: { repo, resolved: resolve(repo, cache.resolve) },
  };
}
