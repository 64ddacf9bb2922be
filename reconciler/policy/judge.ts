import { type Finding, sortFindings } from "../desired/index.ts";
import { openEngine, type PolicyEngine } from "./engine.ts";
import { brokenFinding, findingOf } from "./findings.ts";
import type { Judged, PolicyInput, PolicySummary } from "./input.ts";
import { checkPolicies, isMatched, mistakes, type Policy, programOf } from "./policies.ts";
import type { Shared } from "./program.ts";
import { sharedOf } from "./shared.ts";
import { type Changed, changesBetween, subjectOf, touchesRules } from "./subjects.ts";

/** Judges a change by the policies of what is in force: the base's whenever there is a base, so that no change brings its own judge. Policies that the
 *  head brings or changes are only read for mistakes; they judge what comes after the merge. Never throws for what a policy does. */
export async function judgePolicies(input: PolicyInput, engine: PolicyEngine = openEngine()): Promise<Judged> {
  try {
    return await judge(input, engine);
  } finally {
    await engine.close();
  }
}

async function judge(input: PolicyInput, engine: PolicyEngine): Promise<Judged> {
  const { base, head, plan, commit } = input;
  const policies = (base ?? head).policies;
  const changes = changesBetween(base, head);
  const findings: Finding[] = [...(await checkPolicies({ policies: unknownIn(base, head), trust: head.trust }, engine))];
  const shared = sharedOf(head, plan, commit, changes);
  const results: Result[] = [];
  for (const policy of policies) results.push(await run(policy, changes, shared, input, engine));
  findings.push(...results.flatMap((result) => result.findings));
  return { findings: sortFindings(findings), summary: summaryOf(base === null ? "head" : "base", changes, results) };
}

/** Policies of the head that are not, as they are, the base's: those were read before. */
function unknownIn(base: PolicyInput["base"], head: PolicyInput["head"]): readonly Policy[] {
  const known = new Set(base?.policies.map(({ file, text }) => `${file}\n${text}`));
  return head.policies.filter(({ file, text }) => !known.has(`${file}\n${text}`));
}

type Result = { readonly policy: Policy; readonly evaluated: number; readonly findings: readonly Finding[] };

async function run(
  policy: Policy,
  changes: readonly Changed[],
  shared: Shared,
  { base, head }: PolicyInput,
  engine: PolicyEngine,
): Promise<Result> {
  const matched = changes.filter((changed) => isMatched(policy, changed));
  if (matched.length === 0) return { policy, evaluated: 0, findings: [] };
  const program = programOf(policy);
  const done = (findings: readonly Finding[]): Result => ({ policy, evaluated: matched.length * program.validations.length, findings });
  const [problems] = await engine.compile([program]);
  if (problems === null || problems === undefined || problems.length > 0) {
    const found = mistakes(policy, problems ?? null);
    return done(found.length > 0 ? found : [brokenFinding(policy, "it cannot be read")]);
  }
  const answer = await engine.evaluate(
    program,
    shared,
    matched.map((changed) => subjectOf(changed, head, base)),
  );
  if (answer.at === "failed") return done([brokenFinding(policy, answer.why)]);
  const findings = matched.flatMap((changed, i) =>
    program.validations.flatMap((_, j) => {
      const verdict = answer.verdicts[i]?.[j];
      if (verdict === true) return [];
      return [verdict === undefined ? brokenFinding(policy, "an answer is missing") : findingOf(policy, j, changed, verdict)];
    }),
  );
  return done(findings);
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
