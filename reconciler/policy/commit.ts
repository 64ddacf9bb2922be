import { msOf, type Time, timeOf } from "#base/time/index.ts";
import { GIT_NAMESPACE, parseCommit, verifyCommit } from "#proof/gitobject/index.ts";
import type { FleetRepo } from "../desired/index.ts";
import type { CommitInfo } from "./input.ts";

export type CommitOf = { readonly id: string; readonly raw: Uint8Array; readonly now: Time };

/** A commit as expressions read it. `trust` says whose keys count: that of what is in force, at release `serial`. A committer's clock is no later than
 *  ours, or an end far away would look near. Throws GIT_OBJECT_MALFORMED. */
export function commitInfo({ id, raw, now }: CommitOf, { signers }: Pick<FleetRepo["trust"], "signers">, serial: number): CommitInfo {
  const { author, committer } = parseCommit(raw);
  const found = verifyCommit(raw);
  const signer = found.at === "signed" ? principalOf(found.signer, signers, serial) : null;
  return {
    id,
    author: `${author.name} <${author.email}>`,
    time: timeOf(Math.min(committer.at * 1000, msOf(now))),
    signed: signer !== null,
    signer,
  };
}

type Found = Extract<ReturnType<typeof verifyCommit>, { at: "signed" }>["signer"];

function principalOf(signer: Found, { keys, namespaces }: FleetRepo["trust"]["signers"], serial: number): string | null {
  const named = namespaces.get(signer.key);
  if (named !== null && named?.includes(GIT_NAMESPACE) !== true) return null;
  const owner = Object.entries(keys).find(([, own]) =>
    own.some(
      ({ key, touch, from, until }) =>
        key === signer.key && from <= serial && (until === null || serial <= until) && (touch !== "required" || signer.touched),
    ),
  );
  return owner?.[0] ?? null;
}
