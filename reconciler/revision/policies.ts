import type { Time } from "#base/time/index.ts";
import { planFleet } from "#plan/index.ts";
import { type KnownRelease, principalsOf } from "#proof/release/index.ts";
import type { Finding } from "../desired/index.ts";
import type { Judged } from "../policy/index.ts";
import type { Source } from "../source/index.ts";
import { trustOf } from "./cover.ts";
import type { Outcome } from "./outcome.ts";

type ReadOutcome = Outcome & { readonly at: "read" };

/** A released change that policies still have a say about: `base` is in force under release `minSerial`; null = it can't be read any more. */
export type Candidate = {
  readonly base: ReadOutcome | null;
  readonly next: ReadOutcome;
  readonly release: KnownRelease;
  readonly minSerial: number;
  readonly now: Time;
};

/** Why policies keep a released change from being selected; empty when they let it pass. */
export type PolicyJudge = (candidate: Candidate) => Promise<readonly Finding[]>;

const KEPT = 16;

/** Holds changes against the policies of what is in force, each pair of revisions once. */
export function policyJudge(source: Pick<Source, "withObjects">): PolicyJudge {
  const kept = new Map<string, Judged>();
  return async (candidate) => {
    const { base, next, minSerial, now } = candidate;
    if ((base ?? next).repo.policies.length === 0 && next.repo.policies.length === 0) return [];
    const id = `${base?.revision ?? ""} ${next.revision}`;
    let judged = kept.get(id);
    if (judged === undefined) {
      const { commitInfo, judgePolicies } = await import("../policy/index.ts");
      const raw = await source.withObjects((objects) => objects.raw(next.revision, "commit"));
      const commit = commitInfo({ id: next.revision, raw, now }, (base ?? next).repo.trust, Math.max(1, minSerial));
      judged = await judgePolicies({
        base: base?.repo ?? null,
        head: next.repo,
        plan: planFleet(base?.resolved ?? null, next.resolved),
        commit,
      });
      // A policy that could not be judged may only have had a slow moment: it is asked again.
      if (judged.findings.every(({ code }) => code !== "POLICY_FAILED")) kept.set(id, judged);
      if (kept.size > KEPT) kept.delete([...kept.keys()][0] ?? id);
    }
    return refusalsOf(judged, candidate);
  };
}

/** What is denied, and what the owners have not approved. Pure. */
export function refusalsOf({ findings, summary }: Judged, candidate: Candidate): readonly Finding[] {
  const open = new Map(
    summary.approvals.filter((approval) => !isApproved(approval, candidate)).map((approval) => [approval.policy, approval]),
  );
  return findings.flatMap((item): readonly Finding[] => {
    const asking = item.code === "POLICY_APPROVAL_NEEDED" ? open.get(item.rule?.split("/")[0] ?? "") : undefined;
    if (asking !== undefined) return [{ ...item, level: "error", fix: approvalWords(asking, candidate) }];
    return item.level === "error" ? [item] : [];
  });
}

/** Whose approval is missing, and what they type, before the merge or after it. */
function approvalWords(approval: Approval, candidate: Candidate): string {
  const have = approvedBy(approval, candidate);
  const left = approval.owners.filter((owner) => !have.includes(owner));
  const flags = `--source URL --key FILE --as ${left.length === 1 ? left[0] : "NAME"}`;
  return `${approval.count - have.length} of ${left.join(", ")} sign its release: \`mooring release ${flags}\`, before the merge \`mooring approve REV ${flags}\``;
}

type Approval = Judged["summary"]["approvals"][number];

function isApproved(approval: Approval, candidate: Candidate): boolean {
  return approvedBy(approval, candidate).length >= approval.count;
}

/** Owners approve by signing the release that brings the change: one that is newer than the release in force, under the trust in force. A signature on
 *  the release in force was given before the change was there. Pure. */
export function approvedBy({ owners }: Pick<Approval, "owners">, candidate: Omit<Candidate, "now">): readonly string[] {
  const { base, next, release, minSerial } = candidate;
  const { doc, signers } = release.release;
  if (doc.serial <= minSerial) return [];
  const signed = principalsOf(trustOf((base ?? next).resolved).section, signers(), doc.serial, false);
  return [...new Set(owners.filter((owner) => signed.has(owner)))];
}
