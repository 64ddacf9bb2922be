import type { Digest } from "#base/canonical/index.ts";
import { MooringError, type Problem, toProblem } from "#base/errors/index.ts";
import { parseAllowedSigners } from "#proof/sshsig/index.ts";
import type { Outcome } from "../revision/index.ts";
import { type Authors, commitName, type CommitRule, judgedAnew, type Oid, type Source } from "../source/index.ts";

export type Verdicts = NonNullable<CommitRule["verdicts"]>;
type Read = Outcome & { readonly at: "read" };
type Reading = Pick<Source, "readBlob" | "verifyCommits" | "withObjects">;

/** What `verifyAuthors` goes by: the revision whose rule holds (null at first contact, when it is the head's own) and the release in force there. */
export type AuthorsCase = {
  readonly judge: Outcome;
  readonly since: Oid | null;
  readonly serial: number;
  readonly head: Oid;
  readonly now: number;
};

/** spec.trust.commits of `judge` held for what came after it, up to `head`; throws SOURCE_UNSIGNED. Gives the trust leaf under which the authors passed, null at
 *  first contact. */
export async function verifyAuthors(source: Reading, item: AuthorsCase, verdicts: Verdicts): Promise<Digest | null> {
  const { judge, since, head } = item;
  if (judge.at !== "read") return null; // what can't be read is not selected either
  const { require } = judge.repo.fleet.doc.spec.trust.commits;
  const leaf = since === null ? null : judge.resolved.trustLeaf;
  if (require === "none") return leaf;
  await source.verifyCommits({ require, head, since, verdicts, ...(await authorsOf(source, judge, item)) });
  return leaf;
}

/** The revision in force, judged once more by its own rule: a signer who was changed or taken out since (by this very commit, too) is named, so that somebody
 *  looks at what that key signed. It stays in force: people have released it. Null when all is well. */
export async function staleSigner(
  source: Reading,
  target: Read,
  at: { readonly serial: number; readonly now: number },
  verdicts: Verdicts,
): Promise<Problem | null> {
  const { require } = target.repo.fleet.doc.spec.trust.commits;
  if (require === "none") return null;
  const { revision } = target;
  const rule = { require, head: revision, since: revision, verdicts, ...(await authorsOf(source, target, at)) };
  const why = await source.withObjects((objects) => judgedAnew(objects, rule, revision));
  return why === null
    ? null
    : toProblem(
        new MooringError("SOURCE_SIGNER_GONE", `${await source.withObjects((objects) => commitName(objects, revision))} runs`, {
          why: `${why} (spec.trust.commits.require: ${require})`,
          have: revision,
        }),
      );
}

async function authorsOf(source: Reading, { repo, tree }: Read, at: { readonly serial: number; readonly now: number }): Promise<Authors> {
  const { allowedSigners, openpgpKeys } = repo.fleet.doc.spec.trust.commits;
  const text = async (path: string): Promise<string | null> => {
    const file = tree.get(path);
    return file === undefined ? null : Buffer.from(await source.readBlob(file.oid)).toString("utf8");
  };
  const signers = await text(allowedSigners);
  if (signers === null) throw new MooringError("FLEET_INVALID", `${allowedSigners} is missing`);
  return { allowed: parseAllowedSigners(signers), openpgp: await text(openpgpKeys), serial: Math.max(1, at.serial), now: at.now };
}
