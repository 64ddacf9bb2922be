import { hasCode, MooringError } from "#base/errors/index.ts";
import type { FleetFile, FleetFiles } from "#reconciler/desired/index.ts";
import { type Roots, rootsOf } from "#reconciler/desired/index.ts";
import { type Branch, branchOf, NO_BRANCH } from "#reconciler/revision/index.ts";
import type { Oid } from "#reconciler/source/index.ts";
import { mergeTrees } from "#reconciler/source/merge.ts"; // straight from the files: the index brings transports and SSH along
import { readReleases, RELEASES_BRANCH } from "#reconciler/source/releases.ts";
import { readTree, type Tree } from "#reconciler/source/tree.ts";
import type { ReadOutcome } from "../fleet/open.ts";
import { type Checkout, commonBase } from "./checkout/index.ts";
import { readSide, type Side, type SideCache } from "./side.ts";
import { worktreeFiles } from "./worktree.ts";

/** What is compared, as files: nothing of it is parsed yet. */
export type Compared = {
  readonly base: { readonly revision: Oid; readonly files: FleetFiles } | null;
  readonly head: { readonly revision: string; readonly files: FleetFiles };
  /** Main's newest commit, where releases are looked for; null without a base. */
  readonly main: Oid | null;
  /** The history here ends before it could be told whether the head stands on the base. */
  readonly isCut: boolean;
};

/** The two trees of a review. A commit is taken as merged into the base, as `approve` and every merge button do; files of the checkout are compared with
 *  where its branch left the base. Throws REVISION_MISSING, MERGE_CONFLICT naming files. */
export async function readCompared(checkout: Checkout, baseName: string | null, headName: string): Promise<Compared> {
  const main = baseName === null ? null : await checkout.revision(baseName);
  if (headName === "worktree") return worktreeCompared(checkout, main);
  const head = await checkout.revision(headName);
  const files = await filesOfCommit(checkout, head);
  if (main === null) return { base: null, head: { revision: head, files }, main, isCut: false };
  const base = { revision: main, files: await filesOfCommit(checkout, main) };
  const common = await commonBase(checkout, main, head);
  if (common.base === main) return { base, head: { revision: head, files }, main, isCut: common.isCut };
  return { base, head: { revision: head, files: await merged(checkout, common.base, main, head) }, main, isCut: false };
}

async function worktreeCompared(checkout: Checkout, main: Oid | null): Promise<Compared> {
  const { root } = checkout.git;
  if (root === null) throw new MooringError("CHECKOUT_MISSING", checkout.git.own, { why: "a bare repository has no files: name --head" });
  const head = { revision: "worktree", files: await worktreeFiles(root) };
  if (main === null) return { base: null, head, main, isCut: false };
  const { base, isCut } = await commonBase(checkout, main, await checkout.revision("HEAD"));
  return { base: { revision: base, files: await filesOfCommit(checkout, base) }, head, main, isCut };
}

async function merged(checkout: Checkout, common: Oid, ours: Oid, theirs: Oid): Promise<FleetFiles> {
  const { objects } = checkout;
  const trees = await Promise.all([common, ours, theirs].map(async (oid) => (await objects.commit(oid)).tree));
  const result = await mergeTrees(objects, trees[0]!, trees[1]!, trees[2]!);
  if (result.at === "conflict")
    throw new MooringError("MERGE_CONFLICT", `${theirs.slice(0, 8)} into ${ours.slice(0, 8)}: ${result.paths.join(", ")}`, {
      why: "both sides changed them",
    });
  return filesOfTree(checkout, result.files, result.made);
}

export async function filesOfCommit(checkout: Checkout, oid: Oid): Promise<FleetFiles> {
  return filesOfTree(checkout, await readTree(checkout.objects, (await checkout.objects.commit(oid)).tree));
}

function filesOfTree({ objects, isPartial }: Checkout, tree: Tree, made: ReadonlyMap<Oid, Uint8Array> = new Map()): FleetFiles {
  const read = async (oid: Oid): Promise<Uint8Array> => {
    try {
      return made.get(oid) ?? (await objects.blob(oid));
    } catch (err) {
      if (!isPartial || !hasCode(err, "SOURCE_CORRUPT")) throw err;
      throw new MooringError("REVISION_MISSING", `file ${oid}`, {
        why: "this clone is partial and does not hold it",
        fix: "clone without --filter",
        cause: err,
      });
    }
  };
  return new Map([...tree].map(([path, { oid }]): readonly [string, FleetFile] => [path, { oid, read: () => read(oid) }]));
}

/** Releases that this clone has: of its own branch and of the remote's, since either may be behind. Both prove themselves. */
export async function readReleaseBranch({ objects, ...checkout }: Checkout, fleet: string): Promise<Branch> {
  const tips = await Promise.all(
    [`refs/heads/${RELEASES_BRANCH}`, `refs/remotes/origin/${RELEASES_BRANCH}`].map((name) => checkout.tip(name)),
  );
  const found = await Promise.all(
    [...new Set(tips.filter((oid) => oid !== null))].map(async (oid) => readReleases(objects, (await objects.commit(oid)).tree)),
  );
  if (found.length === 0) return NO_BRANCH;
  const once = <T extends { readonly name: string; readonly sigs: readonly string[] }>(items: readonly T[]): readonly T[] => {
    const all = new Map<string, T>();
    for (const item of items) all.set(item.name, { ...item, sigs: [...new Set([...(all.get(item.name)?.sigs ?? []), ...item.sigs])] });
    return [...all.values()];
  };
  const all = {
    releases: once(found.flatMap(({ releases }) => releases)),
    secrets: once(found.flatMap(({ secrets }) => secrets)),
    statements: once(found.flatMap(({ statements }) => statements)),
    findings: [],
  };
  return branchOf(all, fleet);
}

const MAX_COMMITS = 64;

/** Outcomes of main's first parents from `main` on; `known` = the first, which has been read already. Ends quietly where the history does. */
export async function* mainOutcomes(
  checkout: Checkout,
  main: Oid,
  known: ReadOutcome | null,
  cache: SideCache,
  version: string,
): AsyncGenerator<ReadOutcome | null> {
  let next: Oid | undefined = main;
  for (let i = 0; next !== undefined && i < MAX_COMMITS; i++) {
    const revision: Oid = next;
    try {
      yield i === 0 && known?.revision === main
        ? known
        : outcomeOfSide(await readSide(revision, await filesOfCommit(checkout, revision), cache, version));
      next = (await checkout.objects.commit(revision)).parents[0];
    } catch (err) {
      if (hasCode(err, "SOURCE_OBJECT_MISSING")) return;
      throw err;
    }
  }
}

/** A side as releases are judged by it; null where it can't be read. */
export function outcomeOfSide({ whole, revision, files }: Side): ReadOutcome | null {
  if (whole === null) return null;
  const tree = new Map([...files].map(([path, { oid }]) => [path, { oid, mode: "100644" }]));
  let roots: Roots | undefined; // the base's are asked for only where something is released
  return {
    at: "read",
    revision,
    repo: whole.repo,
    resolved: whole.resolved,
    tree,
    get roots() {
      return (roots ??= rootsOf(whole.resolved));
    },
  };
}
