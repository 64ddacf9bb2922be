import { join, resolve } from "node:path";
import { MooringError } from "#base/errors/index.ts";
import { caret, type Finding, finding, locate, parseBlob, placeBlob, placeInScalar, sortFindings } from "#reconciler/desired/index.ts";
import {
  type Branch,
  mistakes,
  oneLine,
  openEngine,
  type Policy,
  type PolicyEngine,
  programOf,
  withSeen,
} from "#reconciler/policy/index.ts";
import type { Out } from "../io.ts";
import { findingText, readFolder } from "../validate.ts";
import { type Parsed, readTestFile } from "./cases.ts";
import { type FileResult, runFile } from "./run.ts";

export type TestOptions = { readonly dir: string /** Percent of branches that must be seen both ways. */; readonly minCoverage: number };

/** `mooring policy test`: runs policies/tests/*.yaml against policies/*.yaml and says which parts of expressions no case decides. Exit code 0 when all
 *  cases are as expected and coverage is high enough, else 1. No network, no git. */
export async function policyTest({ dir, minCoverage }: TestOptions, out: Out): Promise<number> {
  const { policies, tests, findings } = await readPolicies(dir);
  if (policies.length === 0 && findings.length === 0)
    throw new MooringError("USAGE", `${dir}: there are no policies`, { fix: "name a folder with policies/" });
  const engine = openEngine({ totalMs: 600_000 });
  try {
    const wrong = [...findings];
    for (const policy of policies) wrong.push(...mistakes(policy, (await engine.compile([programOf(policy)]))[0] ?? null));
    for (const item of sortFindings(wrong)) out.write(findingText(item));
    if (wrong.length > 0) return 1;
    return await runAll(policies, tests, engine, minCoverage, out);
  } finally {
    await engine.close();
  }
}

async function readPolicies(dir: string): Promise<{ policies: readonly Policy[]; tests: readonly Parsed[]; findings: readonly Finding[] }> {
  const files = await readFolder(join(resolve(dir), "policies"));
  const policies: Policy[] = [];
  const tests: Parsed[] = [];
  const findings: Finding[] = [];
  for (const [name, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = `policies/${name}`;
    if (!/\.ya?ml$/.test(name)) continue;
    if (name.startsWith("tests/")) {
      tests.push(readTestFile(path, await file.read()));
      continue;
    }
    const placed = placeBlob(path, parseBlob(await file.read()));
    findings.push(...placed.findings);
    if (placed.loaded?.kind === "Policy") policies.push(placed.loaded);
  }
  const known = policies.map(({ name }) => name);
  for (const { path, text, file } of tests) {
    if (file !== null && !known.includes(file.policy) && findings.length === 0)
      findings.push(finding("POLICY_TEST_INVALID", path, locate(text, ["policy"]), "policy: there is no policy of this name"));
  }
  return { policies, tests, findings: [...findings, ...tests.flatMap((test) => test.findings)] };
}

async function runAll(
  policies: readonly Policy[],
  tests: readonly Parsed[],
  engine: PolicyEngine,
  minCoverage: number,
  out: Out,
): Promise<number> {
  const sum = { passed: 0, failed: 0, seen: 0, ways: 0 };
  for (const policy of policies) {
    const own = tests.filter(({ file }) => file?.policy === policy.name);
    out.write(`${policy.file}\n`);
    let branches: readonly Branch[] = [];
    for (const test of own) {
      const result = await runFile(test, policy, engine);
      write(result, out);
      for (const { wrong } of result.cases) sum[wrong.length === 0 ? "passed" : "failed"]++;
      branches = withSeen(branches, result.branches);
    }
    branches = branches.filter(({ isOther }) => !isOther);
    sum.seen += branches.reduce((count, { seen }) => count + seen.length, 0);
    sum.ways += own.length === 0 ? 2 * programOf(policy).validations.length : 2 * branches.length;
    out.write(own.length === 0 ? "  no tests\n" : coverageText(policy, branches));
  }
  const coverage = sum.ways === 0 ? 100 : Math.floor((100 * sum.seen) / sum.ways);
  const isCovered = coverage >= minCoverage;
  out.write(`${sum.passed} passed, ${sum.failed} failed, coverage ${coverage} %${isCovered ? "" : ` of the ${minCoverage} % asked for`}\n`);
  return sum.failed === 0 && isCovered ? 0 : 1;
}

function write({ cases }: FileResult, out: Out): void {
  for (const { name, wrong, findings } of cases) {
    out.write(`  ${wrong.length === 0 ? "ok  " : "FAIL"} ${oneLine(name)}\n`);
    for (const line of wrong) out.write(`         ${oneLine(line)}\n`);
    for (const item of findings) out.write(findingText(item).replaceAll(/^/gm, "         ").trimEnd() + "\n");
  }
}

/** Each part of an expression that no case decided one way or the other, with a caret. */
function coverageText(policy: Policy, branches: readonly Branch[]): string {
  const open = branches.filter(({ seen }) => seen.length < 2);
  const ways = branches.reduce((count, { seen }) => count + seen.length, 0);
  const lines = open.map(({ path, offset, length, seen }) => {
    const place = placeInScalar(policy.text, ["spec", ...path], offset, length);
    const missing = seen.length === 0 ? "never reached" : seen[0] === true ? "never false" : "never true";
    return `    ${place.line}:${place.col} ${missing}\n${caret(policy.text, place).replaceAll(/^/gm, "      | ")}\n`;
  });
  return `  coverage ${ways} of ${2 * branches.length}\n${lines.join("")}`;
}
