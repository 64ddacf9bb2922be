import { CATALOG } from "#base/errors/index.ts";
import type { Finding } from "../desired/index.ts";
import type { PolicyEngine } from "./engine.ts";
import { brokenFinding, findingOf } from "./findings.ts";
import type { PolicyInput } from "./input.ts";
import { isAbout, type Policy, programOf } from "./policies.ts";
import type { Shared } from "./program.ts";
import { type Changed, subjectOf } from "./subjects.ts";

const MAX_DOCUMENTS = 1000;
const MAX_NOTICES = 20; // a policy: enough to see what it does

/** What policies that the head brings would say about the documents it leaves: notices, since they judge only what comes after the merge. A document
 *  that does not change is taken as updated. Policies with mistakes are left out. */
export async function previewOf(
  policies: readonly Policy[],
  changes: readonly Changed[],
  shared: Shared,
  { base, head }: PolicyInput,
  engine: PolicyEngine,
): Promise<readonly Finding[]> {
  const kept = changes.filter(({ action }) => action !== "delete").slice(0, MAX_DOCUMENTS);
  const asUpdated = kept.map((changed): Changed => (changed.action === "keep" ? { ...changed, action: "update" } : changed));
  const deck = { shared, subjects: asUpdated.map((changed) => subjectOf(changed, head, base)) };
  const found: Finding[] = [];
  for (const policy of policies) {
    const which = asUpdated.flatMap((changed, i) => (isAbout(policy, changed) ? [i] : []));
    const answer = which.length === 0 ? null : await engine.evaluate(programOf(policy), deck, { which });
    if (answer === null) continue;
    if (answer.at === "failed") {
      found.push(asNotice(brokenFinding(policy, answer.why)));
      continue;
    }
    const own = answer.verdicts.flatMap((row, i) =>
      row.flatMap((verdict, j) => (verdict === true ? [] : [asNotice(findingOf(policy, j, asUpdated[which[i]!]!, verdict))])),
    );
    found.push(...own.slice(0, MAX_NOTICES));
  }
  return found;
}

/** What will deny is worth a warning: the next change of that document meets it. */
function asNotice(item: Finding): Finding {
  return {
    ...item,
    code: "POLICY_WARNED",
    level: item.level === "error" ? "warning" : "notice",
    message: `once this is merged: ${item.message}`,
    fix: CATALOG.POLICY_WARNED.fix,
  };
}
