import type { Json } from "#base/canonical/index.ts";
import { isJsonObject } from "#base/canonical/index.ts";
import type { Finding } from "#reconciler/desired/index.ts";
import {
  type Branch,
  type FieldPath,
  type Policy,
  type PolicyEngine,
  programOf,
  type Shared,
  type Subject,
  type Verdict,
  withSeen,
} from "#reconciler/policy/index.ts";
import { KINDS } from "#schemas/fleet/index.ts";
import { type Case, type Documents, documentsOf, overlay, type Parsed } from "./cases.ts";

/** How one case went. `wrong` = each way in which it is not as expected; empty = as expected. */
export type CaseResult = { readonly name: string; readonly wrong: readonly string[]; readonly findings: readonly Finding[] };
export type FileResult = { readonly path: string; readonly cases: readonly CaseResult[]; readonly branches: readonly Branch[] };

/** Runs the cases of one test file against its policy. */
export async function runFile(parsed: Parsed, policy: Policy, engine: PolicyEngine): Promise<FileResult> {
  const cases: CaseResult[] = [];
  let branches: readonly Branch[] = [];
  for (const [i, item] of (parsed.file?.cases ?? []).entries()) {
    const documents = documentsOf(parsed, i, policy);
    if (!("kind" in documents)) {
      cases.push({ name: item.name, wrong: ["the case is not valid"], findings: documents });
      continue;
    }
    const program = programOf(policy);
    const params = overlay(overlay(program.params, parsed.file?.given?.["params"] ?? {}), item.params ?? {});
    const subject = subjectOf(item, documents);
    const deck = { shared: sharedOf(parsed, item, documents), subjects: [subject] };
    const answer = await engine.evaluate({ ...program, params: isJsonObject(params) ? params : {} }, deck, { cover: true });
    if (answer.at === "failed") {
      cases.push({ name: item.name, wrong: [`the policy cannot be judged: ${answer.why}`], findings: [] });
      continue;
    }
    branches = withSeen(branches, answer.branches);
    cases.push({ name: item.name, wrong: compare(item, policy, subject, answer.verdicts[0] ?? []), findings: [] });
  }
  return { path: parsed.path, cases, branches };
}

function subjectOf(item: Case, { object, oldObject, plugin, machine, kind }: Documents): Subject {
  const action = object === null ? "delete" : oldObject === null ? "create" : "update";
  const change = { action, destructive: action === "delete", fields: [], machines: { before: 0, after: 0, gained: 0, lost: 0 } };
  const one = object ?? oldObject;
  return {
    object,
    oldObject,
    change: overlay(change, item.change ?? {}),
    machine: kind === "Machine" ? one : machine,
    plugin: kind === "Plugin" ? one : plugin,
    grant: kind === "SecretGrant" ? one : null,
  };
}

/** A small fleet, a plan that changes nothing, an unsigned commit: what a case does not say. */
function sharedOf(parsed: Parsed, item: Case, { object, oldObject, kind }: Documents): Shared {
  const given = parsed.file?.given ?? {};
  const whole = (name: "fleet" | "plan" | "commit", base: Json): Json => overlay(overlay(base, given[name] ?? {}), item[name] ?? {});
  const own = kind === "Fleet" ? (object ?? oldObject) : null;
  const spec = isJsonObject(own ?? undefined) ? (own as { spec: Json }).spec : sampleFleet();
  return {
    fleet: whole("fleet", { name: "test", spec, machines: 10, plugins: [], rotations: [], signers: {} }),
    plan: whole("plan", {
      machines: { total: 10, changed: 0, added: 0, removed: 0 },
      documents: { created: 0, updated: 0, deleted: 0 },
      deletions: {},
      disrupted: 0,
      widened: 0,
      roles: [],
    }),
    commit: whole("commit", {
      id: "0".repeat(40),
      author: "A <a@example.net>",
      time: "2026-01-01T00:00:00.000Z",
      signed: false,
      signer: null,
    }),
  };
}

function sampleFleet(): Json {
  const role = { principals: ["a@example.net"] };
  const roles = { root: role, release: role, access: role, secrets: role };
  const document = { apiVersion: "mooring/v1", kind: "Fleet", metadata: { name: "test" }, spec: { trust: { roles } } };
  return JSON.parse(JSON.stringify(KINDS.Fleet.parse(document).spec)) as Json;
}

function compare(item: Case, policy: Policy, { change }: Subject, verdicts: readonly Verdict[]): readonly string[] {
  const { validations, match } = policy.doc.spec;
  const action = isJsonObject(change) ? change["action"] : undefined;
  if (!match.actions.some((one) => one === action)) return [`the policy does not judge this action: spec.match.actions`];
  const expected = item.expect === "pass" ? [] : item.expect;
  const unknown = expected.filter(({ rule }) => validations[rule - 1] === undefined).map(({ rule }) => `there is no rule ${rule}`);
  const wrong = validations.flatMap((validation, i) => {
    const want = expected.find(({ rule }) => rule === i + 1);
    return compareRule(i + 1, validation.level, validation.message ?? null, want, verdicts[i]);
  });
  return [...unknown, ...wrong];
}

type Expected = Extract<Case["expect"], readonly unknown[]>[number];

function compareRule(
  rule: number,
  level: string,
  message: string | null,
  want: Expected | undefined,
  got: Verdict | undefined,
): readonly string[] {
  const found = got === true || got === undefined ? "pass" : got.at === "failed" ? "failed" : level;
  const reason = typeof got === "object" && got.at === "failed" ? ` (${got.problem.message})` : "";
  if (got === undefined) return [`rule ${rule}: no answer`];
  if (want === undefined) return found === "pass" ? [] : [`rule ${rule}: expected pass, got ${found}${reason}`];
  if (found === "pass" || (want.level ?? found) !== found)
    return [`rule ${rule}: expected ${want.level ?? "a finding"}, got ${found}${reason}`];
  if (typeof got !== "object" || got.at !== "unmet") return [];
  const text = got.message ?? message;
  const field = got.field === null ? "" : dotted(got.field);
  return [
    ...(want.message === undefined || want.message === text
      ? []
      : [`rule ${rule}: expected the message "${want.message}", got "${text ?? ""}"`]),
    ...(want.field === undefined || want.field === field ? [] : [`rule ${rule}: expected the field ${want.field}, got ${field || "none"}`]),
  ];
}

function dotted(path: FieldPath): string {
  return path.map((step, i) => (typeof step === "number" ? `[${step}]` : `${i === 0 ? "" : "."}${step}`)).join("");
}
