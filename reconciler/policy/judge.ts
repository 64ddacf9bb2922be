import { type Finding, sortFindings } from "../desired/index.ts";
import { openEngine, type PolicyEngine } from "./engine.ts";
import { brokenFinding, findingOf } from "./findings.ts";
import type { Judged, PolicyInput, PolicySummary } from "./input.ts";
import { checkPolicies, isMatched, mistakes, type Policy, programOf } from "./policies.ts";
import { previewOf } from "./preview.ts";
import type { Deck, Program } from "./program.ts";
import { sharedOf } from "./shared.ts";
import { type Changed, changesBetween, subjectOf, touchesRules } from "./subjects.ts";

/** Judges a change by the policies of what is in force: the base's whenever there is a base, so that no change brings its own judge. Policies that the
 *  head brings or changes are read for mistakes; they judge what comes after the merge. Never throws for what a policy does. */
export async function judgePolicies(input: PolicyInput, engine: PolicyEngine = openEngine()): Promise<Judged> {
  try {
    return await judge(input, engine);
  } finally {
    await engine.close();
  }
}

async function judge(input: PolicyInput, engine: PolicyEngine): Promise<Judged> {
  const { base, head, plan, commit } = input;
  const changes = changesBetween(base, head);
  const fresh = unknownIn(base, head);
  const mistaken = await checkPolicies({ policies: fresh, trust: head.trust }, engine);
  const results = (base ?? head).policies.map(newResult);
  const shared = sharedOf(head, plan, commit, changes);
  const judged = changes.filter((changed) => results.some(({ policy }) => isMatched(policy, changed)));
  for (let from = 0; from < judged.length; from += DECK) {
    const part = judged.slice(from, from + DECK);
    const deck = { shared, subjects: part.map((changed) => subjectOf(changed, head, base)) };
    for (const result of results) await judgePart(result, part, deck, engine);
  }
  const findings = results.flatMap((result) => result.findings);
  const isKnown = new Set(findings.map(({ code, file, line, col }) => `${code} ${file}:${line}:${col}`));
  const more = mistaken.filter(({ code, file, line, col }) => !isKnown.has(`${code} ${file}:${line}:${col}`));
  const sound = fresh.filter(({ file }) => !mistaken.some((item) => item.file === file));
  if (input.preview === true && base !== null) more.push(...(await previewOf(sound, changes, shared, input, engine)));
  return { findings: sortFindings([...findings, ...more]), summary: summaryOf(base === null ? "head" : "base", changes, results) };
}

const DECK = 1000; // documents at once: bounds what is copied to the worker and kept there

/** Policies of the head that are not, as they are, the base's: those were read before. */
function unknownIn(base: PolicyInput["base"], head: PolicyInput["head"]): readonly Policy[] {
  const known = new Set(base?.policies.map(({ file, text }) => `${file}\n${text}`));
  return head.policies.filter(({ file, text }) => !known.has(`${file}\n${text}`));
}

/** What one policy said so far. `isOut` = it has mistakes, or broke down: it judges no more, and what it should have judged does not pass. */
type Result = {
  readonly policy: Policy;
  readonly program: Program;
  isRead: boolean;
  isOut: boolean;
  evaluated: number;
  readonly findings: Finding[];
};

function newResult(policy: Policy): Result {
  return { policy, program: programOf(policy), isRead: false, isOut: false, evaluated: 0, findings: [] };
}

/** Looked for only when the policy has something to judge. */
async function mistakesOf(result: Result, engine: PolicyEngine): Promise<readonly Finding[]> {
  result.isRead = true;
  const [problems] = await engine.compile([result.program]);
  return problems?.length === 0 ? [] : mistakes(result.policy, problems ?? null);
}

async function judgePart(result: Result, part: readonly Changed[], deck: Deck, engine: PolicyEngine): Promise<void> {
  const { policy, program, findings } = result;
  const which = part.flatMap((changed, i) => (isMatched(policy, changed) ? [i] : []));
  if (which.length === 0) return;
  result.evaluated += which.length * program.validations.length;
  if (result.isOut) return;
  const found = result.isRead ? [] : await mistakesOf(result, engine);
  findings.push(...found);
  result.isOut = found.length > 0;
  if (result.isOut) return;
  const answer = await engine.evaluate(program, deck, { which });
  if (answer.at === "failed") {
    result.isOut = true;
    findings.push(brokenFinding(policy, answer.why));
    return;
  }
  for (const [row, i] of which.entries()) {
    for (let j = 0; j < program.validations.length; j++) {
      const verdict = answer.verdicts[row]?.[j];
      if (verdict !== true)
        findings.push(verdict === undefined ? brokenFinding(policy, "an answer is missing") : findingOf(policy, j, part[i]!, verdict));
    }
  }
}

function summaryOf(from: PolicySummary["from"], changes: readonly Changed[], results: readonly Result[]): PolicySummary {
  const asking = results.filter(({ findings }) => findings.some(({ code }) => code === "POLICY_APPROVAL_NEEDED"));
  return {
    from,
    judgedByBase: from === "base" && touchesRules(changes),
    evaluated: results.reduce((sum, { evaluated }) => sum + evaluated, 0),
    denied: results.flatMap(({ findings }) => findings).filter(({ level }) => level === "error").length,
    approvals: asking.map(({ policy }) => ({ policy: policy.name, owners: policy.doc.spec.owners, count: policy.doc.spec.approveCount })),
  };
}
