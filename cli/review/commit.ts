import { type Time, timeOf } from "#base/time/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { parseCommit, verifyCommit } from "#proof/gitobject/index.ts";
import type { FleetRepo } from "#reconciler/desired/index.ts";
import type { CommitInfo } from "#reconciler/policy/index.ts";

/** A commit as policies read it; `signers` is whose keys count: the base's, so that no change names its own. Pure. */
export function commitInfo(id: string, raw: Uint8Array, signers: FleetRepo["trust"]["signers"]): CommitInfo {
  const { author, committer } = parseCommit(raw);
  const signed = verifyCommit(raw);
  const key = signed.at === "signed" ? signed.signer.key : null;
  const names = Object.entries(signers.keys).flatMap(([name, keys]) => (keys.some((item) => item.key === key) ? [name] : []));
  return {
    id,
    author: `${author.name} <${author.email}>`,
    time: timeOf(committer.at * 1000),
    signed: signed.at === "signed",
    signer: names.length === 1 ? names[0]! : null, // a key of two is nobody's
  };
}

/** The files of a checkout, which nobody has committed yet. */
export function noCommit(now: Time): CommitInfo {
  return { id: null, author: "", time: now, signed: false, signer: null };
}

/** A commit that does not read as one says nothing; git would not show it either. */
export function commitInfoOr(id: string, raw: Uint8Array, signers: FleetRepo["trust"]["signers"], now: Time): CommitInfo {
  try {
    return commitInfo(id, raw, signers);
  } catch (err) {
    if (hasCode(err, "GIT_OBJECT_MALFORMED")) return { ...noCommit(now), id };
    throw err;
  }
}
