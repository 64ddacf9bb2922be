import { type Finding, finding, isSelected, type Loaded, placeInScalar, caret, nearest } from "../desired/index.ts";
import type { FleetRepo } from "../desired/index.ts";
import type { PolicyEngine } from "./engine.ts";
import type { ExpressionProblem, Program } from "./program.ts";
import type { Changed } from "./subjects.ts";

export type Policy = Loaded<"Policy">;

/** A policy document as the engine takes it. */
export function programOf({ name, doc }: Pick<Policy, "name" | "doc">): Program {
  const { match, params, variables, validations } = doc.spec;
  return {
    name,
    kinds: match.kinds,
    params,
    variables: variables.map(({ name, expression }) => ({ name, expression })),
    validations: validations.map(({ expression, messageExpression }) => ({ expression, messageExpression })),
  };
}

/** Whether a policy has a say about a document. With match.machines it has one about what reaches such a machine, before or after the change. */
export function isMatched(policy: Policy, changed: Changed): boolean {
  return policy.doc.spec.match.actions.includes(changed.action) && isAbout(policy, changed);
}

/** The same whatever happened to the document. */
export function isAbout({ doc: { spec } }: Policy, { doc, reach }: Changed): boolean {
  const { kinds, machines } = spec.match;
  if (!kinds.includes(doc.kind)) return false;
  if (machines === undefined || machines === "all") return true;
  const { before, after, were } = reach();
  return [before, after, were].some((list) => list.some((machine) => isSelected(machines, machine.doc.metadata.labels)));
}

/** What is wrong with the policies of a repo, each at its place: expressions that do not read, fields and names that do not exist, approval that
 *  nobody could give. */
export async function checkPolicies(repo: Pick<FleetRepo, "policies" | "trust">, engine: PolicyEngine): Promise<readonly Finding[]> {
  const found = await engine.compile(repo.policies.map(programOf));
  return repo.policies.flatMap((policy, i) => [
    ...mistakes(policy, found[i] ?? null),
    ...checkKinds(policy),
    ...checkOwners(policy, Object.keys(repo.trust.keys)),
  ]);
}

/** The findings for one policy's mistakes; `null` = the engine could not look at it. */
export function mistakes(policy: Policy, problems: readonly ExpressionProblem[] | null): readonly Finding[] {
  if (problems === null)
    return [finding("POLICY_INVALID", policy.file, policy.locate(["spec"], "key"), `policy ${policy.name} cannot be read in time`)];
  return problems.map((problem) => {
    const { path, message, fix, offset, length } = problem;
    const place = placeInScalar(policy.text, ["spec", ...path], offset, length);
    const where = `spec.${path[0]}[${path[1]}].${path[2]}`;
    return { ...finding("POLICY_INVALID", policy.file, place, `${where}: ${message}`, fix), excerpt: caret(policy.text, place) };
  });
}

const REACHING: readonly string[] = ["Machine", "Baseline", "Plugin", "SecretGrant"];

/** With match.machines a kind that reaches no machine would never be judged. */
function checkKinds(policy: Policy): readonly Finding[] {
  const { kinds, machines } = policy.doc.spec.match;
  if (machines === undefined || machines === "all") return [];
  const fix = "leave spec.match.machines out, or give this kind a policy of its own";
  return kinds.flatMap((kind, i) => {
    if (REACHING.includes(kind)) return [];
    const message = `a ${kind} reaches no machine, so with spec.match.machines this policy never judges one`;
    return [finding("POLICY_INVALID", policy.file, policy.locate(["spec", "match", "kinds", i]), message, fix)];
  });
}

function checkOwners(policy: Policy, known: readonly string[]): readonly Finding[] {
  const { owners, approveCount, validations } = policy.doc.spec;
  const at = (path: readonly (string | number)[], message: string, fix?: string): Finding =>
    finding("POLICY_INVALID", policy.file, policy.locate(path), message, fix);
  const strangers = owners.flatMap((owner, i) => {
    if (known.includes(owner)) return [];
    const near = nearest(owner, known);
    return [
      at(
        ["spec", "owners", i],
        "there is no principal of this name with a release key",
        near === null ? undefined : `did you mean \`${near}\`?`,
      ),
    ];
  });
  const asks = validations.findIndex(({ level }) => level === "require-approval");
  if (asks < 0 || new Set(owners).size >= approveCount) return strangers;
  return [
    ...strangers,
    at(["spec", "validations", asks, "level"], `fewer owners than the ${approveCount} that have to approve`, "name them in spec.owners"),
  ];
}
