import { MooringError } from "#base/errors/index.ts";
import { type Authors, authorsKey, signatureRefusal, UNSIGNED } from "./commit-signature.ts";
import { commitName } from "./author.ts";
import { commitRange, isAncestor, mergeBases } from "./ancestry.ts";
import { isTree, mergeTrees } from "./merge.ts";
import type { Objects, Oid } from "./objects.ts";

/** spec.trust.commits of the last verified revision, applied to what came after it. */
export type CommitRule = Authors & {
  readonly require: "none" | "head" | "every";
  readonly head: Oid;
  /** The last verified revision; null at first contact, when nothing is new yet and only the head is judged. */
  readonly since: Oid | null;
  /** What signatures were found to be, by commit and digest of the keys: who judges again and again keeps it. */
  readonly verdicts?: Map<string, string | null>;
};

const MAX_VERDICTS = 10_000;

/** Passes when the commits `require` names are each signed by an allowed key, or are merges that add nothing: exactly two accepted parents
 *  and the very tree our own conflict-free three-way merge of them gives. Else throws SOURCE_UNSIGNED naming the commit and why. */
export async function verifyCommits(objects: Objects, rule: CommitRule): Promise<void> {
  const judged = new Map<Oid, string | null>();
  for (const oid of await toJudge(objects, rule)) {
    const why = await whyRefused(objects, rule, oid, judged);
    if (why !== null)
      throw new MooringError("SOURCE_UNSIGNED", await commitName(objects, oid), {
        why: `${why} (spec.trust.commits.require: ${rule.require})`,
        fix: fixOf(rule, oid),
        have: oid,
      });
  }
}

/** Nothing that is on main under this rule was ever in force, so it may be made again; under `head` a signed commit on top is enough. */
function fixOf({ require, since }: CommitRule, oid: Oid): string {
  const who = "a key of trust/allowed_signers as it is in force";
  if (require === "head") return `push a commit on top that is signed with ${who}: \`git commit --allow-empty -S\``;
  const from = since === null ? `${oid.slice(0, 12)}^` : since.slice(0, 12);
  return `sign it with ${who}: \`git rebase --rebase-merges --exec "git commit --amend --no-edit -S" ${from}\`, then \`git push --force-with-lease\`; nothing after ${from} was in force yet`;
}

/** Why one commit would not pass the rule of today, or null: for the revision in force, whose rule may have changed since it passed. A merge without a signature
 *  passes when its tree adds nothing: its parents were judged in their time. */
export async function judgedAnew(objects: Objects, rule: CommitRule, oid: Oid): Promise<string | null> {
  return rule.require === "none" ? null : whyRefused(objects, { ...rule, since: oid }, oid, new Map());
}

async function toJudge(objects: Objects, rule: CommitRule): Promise<readonly Oid[]> {
  switch (rule.require) {
    case "none":
      return [];
    case "head":
      return rule.since === rule.head ? [] : [rule.head];
    case "every":
      return rule.since === null ? [rule.head] : (await commitRange(objects, rule.since, rule.head)).toReversed();
    default:
      return rule.require satisfies never;
  }
}

/** Null when the commit is accepted. */
async function whyRefused(objects: Objects, rule: CommitRule, oid: Oid, judged: Map<Oid, string | null>): Promise<string | null> {
  const known = judged.get(oid);
  if (known !== undefined) return known;
  let why = await signatureOf(objects, rule, oid);
  if (why === UNSIGNED && (await addsNothing(objects, rule, oid, judged))) why = null;
  judged.set(oid, why);
  return why;
}

async function signatureOf(objects: Objects, rule: CommitRule, oid: Oid): Promise<string | null> {
  const id = `${oid} ${keysOf(rule)}`;
  const known = rule.verdicts?.get(id);
  if (known !== undefined) return known;
  const why = await signatureRefusal(await objects.raw(oid, "commit"), rule);
  if ((rule.verdicts?.size ?? 0) >= MAX_VERDICTS) rule.verdicts?.clear();
  rule.verdicts?.set(id, why);
  return why;
}

const digests = new WeakMap<CommitRule, string>();

/** Digest of the rule's keys, made once for all of its commits. */
function keysOf(rule: CommitRule): string {
  const known = digests.get(rule) ?? authorsKey(rule);
  digests.set(rule, known);
  return known;
}

async function addsNothing(objects: Objects, rule: CommitRule, oid: Oid, judged: Map<Oid, string | null>): Promise<boolean> {
  const { tree, parents } = await objects.commit(oid);
  const [ours, theirs] = parents;
  if (ours === undefined || theirs === undefined || parents.length !== 2) return false;
  const bases = await mergeBases(objects, ours, theirs);
  if (bases.length !== 1 || bases[0] === undefined) return false;
  const rootOf = async (commit: Oid): Promise<Oid> => (await objects.commit(commit)).tree;
  const merged = await mergeTrees(objects, await rootOf(bases[0]), await rootOf(ours), await rootOf(theirs));
  if (merged.at !== "merged" || !(await isTree(objects, tree, merged.files))) return false;
  for (const parent of parents) {
    const isOld = rule.since !== null && (await isAncestor(objects, parent, rule.since));
    if (!isOld && (await whyRefused(objects, rule, parent, judged)) !== null) return false;
  }
  return true;
}
