import { type Finding, finding, placeInScalar } from "../desired/index.ts";
import type { ErrorCode } from "#base/errors/index.ts";
import { printable } from "#base/text/index.ts";
import type { Policy } from "./policies.ts";
import type { FieldPath, Verdict } from "./program.ts";
import { type Changed, pointerStep } from "./subjects.ts";

type Validation = Policy["doc"]["spec"]["validations"][number];

const CODES: Readonly<Record<Validation["level"], readonly [ErrorCode, Finding["level"]]>> = {
  deny: ["POLICY_DENIED", "error"],
  "require-approval": ["POLICY_APPROVAL_NEEDED", "warning"],
  warn: ["POLICY_WARNED", "warning"],
  audit: ["POLICY_WARNED", "notice"],
};

/** What one validation says about one document, as a finding at the field that decided it. A validation that can't be judged denies, whatever its
 *  level. */
export function findingOf(policy: Policy, index: number, changed: Changed, verdict: Exclude<Verdict, true>): Finding {
  const validation = policy.doc.spec.validations[index]!;
  if (verdict.at === "failed") {
    const { path, offset, length, message } = verdict.problem;
    const { line, col } = placeInScalar(policy.text, ["spec", ...path], offset, length);
    return at("POLICY_FAILED", "error", policy, index, changed, null, `cannot be judged: ${message} (${policy.file}:${line}:${col})`);
  }
  const [code, level] = CODES[validation.level];
  return at(
    code,
    level,
    policy,
    index,
    changed,
    verdict.field,
    oneLine(verdict.message ?? validation.message ?? `not so: ${validation.expression}`),
  );
}

/** For a policy that used up its time or broke its worker: nothing it judges may pass. */
export function brokenFinding(policy: Policy, why: string): Finding {
  return finding(
    "POLICY_FAILED",
    policy.file,
    policy.locate(["spec", "validations"], "key"),
    `policy ${policy.name} cannot be judged: ${why}`,
  );
}

function at(
  code: ErrorCode,
  level: Finding["level"],
  policy: Policy,
  index: number,
  { doc, action }: Changed,
  field: FieldPath | null,
  message: string,
): Finding {
  const isGone = action === "delete"; // its place is where it was
  const place = field === null || isGone ? doc.locate(["metadata", "name"]) : doc.locate(field);
  const pointer = field === null ? "" : ` ${field.map((step) => `/${pointerStep(step)}`).join("")}`;
  return {
    ...finding(code, doc.file, place, `${message} [${policy.name}/${index + 1}]`, fixOf(code, policy)),
    level,
    rule: `${policy.name}/${index + 1}`,
    subject: `${doc.kind}/${doc.name}${pointer}`,
  };
}

function fixOf(code: ErrorCode, { file, doc }: Policy): string | undefined {
  const { owners, approveCount } = doc.spec;
  if (code === "POLICY_DENIED") return `change it so that ${file} is met, or have that policy changed first`;
  if (code === "POLICY_APPROVAL_NEEDED") return `${approveCount} of ${owners.join(", ")} sign the release: \`mooring approve\``;
  return code === "POLICY_WARNED" ? `nothing has to be done; ${file} asks you to look at it` : undefined;
}

/** What an expression made of a document's own text: one printable line, and not a long one. */
export function oneLine(text: string): string {
  const line = printable(text).replaceAll(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300).toWellFormed()}…` : line;
}
