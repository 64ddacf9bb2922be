import type { Time } from "#base/time/index.ts";
import { type PolicyJudge, policyJudge } from "#reconciler/revision/index.ts";
import type { Fleet } from "../fleet/open.ts";
import type { Case } from "./case.ts";
import type { Standing } from "./standing.ts";

/** What the policies in force still say about an outcome, as the hub will hear it; `owners` may approve it by signing its release. */
export type PolicyWord = { readonly text: string; readonly owners: ReadonlySet<string> };

export const NO_WORD: PolicyWord = { text: "", owners: new Set() };

/** Asks as the hub does, so nobody signs what it then refuses without having read so. Without a release in force there is no change to judge. */
export function policyWords(fleet: Fleet, { inForce }: Standing, now: Time): (item: Case) => Promise<PolicyWord> {
  const judge: PolicyJudge = policyJudge(fleet.source);
  return async ({ outcome, head }) => {
    if (inForce === null) return NO_WORD;
    const base = inForce.outcome;
    const minSerial = inForce.release.release.doc.serial;
    const refused = await judge({ base, next: outcome, release: head, minSerial, now });
    if (refused.length === 0) return NO_WORD;
    const asking = new Set(refused.flatMap(({ code, rule }) => (code === "POLICY_APPROVAL_NEEDED" ? [rule?.split("/")[0]] : [])));
    const owners = base.repo.policies.flatMap(({ name, doc }) => (asking.has(name) ? doc.spec.owners : []));
    const lines = refused.map(
      ({ file, line, col, code, message, fix }) => `  ${file}:${line}:${col} ${code} ${message}\n    fix: ${fix}\n`,
    );
    return { text: `\nthe hub does not take this while policies say:\n${lines.join("")}`, owners: new Set(owners) };
  };
}
