import { MooringError } from "#base/errors/index.ts";
import { type CommitSigner, GIT_NAMESPACE, verifyCommit } from "#proof/gitobject/index.ts";
import type { AllowedSigners, SshSigner } from "#proof/sshsig/index.ts";
import { commitRange, isAncestor, mergeBases } from "./ancestry.ts";
import { isTree, mergeTrees } from "./merge.ts";
import type { Objects, Oid } from "./objects.ts";

/** spec.trust.commits of the last verified revision, applied to what came after it. */
export type CommitRule = {
  readonly require: "none" | "head" | "every";
  readonly head: Oid;
  /** The last verified revision; null at first contact, when nothing is new yet and only the head is judged. */
  readonly since: Oid | null;
  readonly allowed: AllowedSigners;
  /** Serial of the release in force: keys of allowed_signers have windows of serials. */
  readonly serial: number;
};

/** Passes when the commits `require` names are each signed by an allowed key, or are merges that add nothing: exactly two accepted parents
 *  and the very tree our own conflict-free three-way merge of them gives. Else throws SOURCE_UNSIGNED naming the commit and why. */
export async function verifyCommits(objects: Objects, rule: CommitRule): Promise<void> {
  const judged = new Map<Oid, string | null>();
  for (const oid of await toJudge(objects, rule)) {
    const why = await whyRefused(objects, rule, oid, judged);
    if (why !== null) throw new MooringError("SOURCE_UNSIGNED", `commit ${oid.slice(0, 12)}`, { why, have: oid });
  }
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
  const signature = verifyCommit(await objects.raw(oid, "commit"));
  let why = refusalOf(signature, rule);
  if (signature.at === "unsigned" && (await addsNothing(objects, rule, oid, judged))) why = null;
  judged.set(oid, why);
  return why;
}

function refusalOf(found: CommitSigner, rule: CommitRule): string | null {
  switch (found.at) {
    case "unsigned":
      return "it is not signed";
    case "foreign":
      return "its signature is not an SSH signature";
    case "wrong":
      return "its signature does not fit its content";
    case "signed":
      return isAllowed(found.signer, rule) ? null : "its key is not allowed to sign commits";
    default:
      return found satisfies never;
  }
}

function isAllowed(signer: SshSigner, { allowed, serial }: CommitRule): boolean {
  const namespaces = allowed.namespaces.get(signer.key);
  if (namespaces !== null && namespaces?.includes(GIT_NAMESPACE) !== true) return false;
  return Object.values(allowed.keys)
    .flat()
    .some(({ key, touch, from, until }) => {
      const isNow = from <= serial && (until === null || serial <= until);
      return key === signer.key && isNow && (touch !== "required" || signer.touched);
    });
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
