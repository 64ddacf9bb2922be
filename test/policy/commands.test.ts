import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { policyAdd, policyList, policyTest } from "#cli/policy/index.ts";
import { validate } from "#cli/validate.ts";
import { goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { policyText } from "./support.ts";

const LIBRARY = join(import.meta.dirname, "../../reconciler/policy/library");

async function withFolder(files: Tree, run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "mp-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(dir, path, ".."), { recursive: true });
      await writeFile(join(dir, path), text);
    }
    await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function output(
  run: (out: { write(text: string): unknown }) => Promise<number>,
): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const code = await run({ write: (part) => (text += part) });
  return { code, text };
}

const runTests = (dir: string, minCoverage = 0) => output((out) => policyTest({ dir, minCoverage }, out));

test("the built-in policies pass their tests, and every part of their expressions is seen both ways", async () => {
  const { code, text } = await runTests(LIBRARY, 100);
  assert.deepEqual([code, text.match(/^(?:\d+ passed, 0 failed, coverage 100 %)$/m) !== null], [0, true], text);
});

test("each built-in policy is listed, has tests and a part of docs/policies.md, and its copy is valid in a fleet", () =>
  withFolder(goldenTree(), async (dir) => {
    const { text } = await output(policyList);
    const names = text.split("\n").flatMap((line) => /^\S+/.exec(line)?.[0] ?? []);
    assert.equal(names.length, 12);
    const page = await readFile(join(import.meta.dirname, "../../docs/policies.md"), "utf8");
    for (const name of names) assert.ok(page.includes(`### ${name}\n`), name);
    assert.equal((await output((out) => policyAdd(names, dir, out))).code, 0);
    assert.equal((await output((out) => policyAdd(names, dir, out))).code, 0); // the same files again change nothing
    const valid = await output((out) => validate(dir, out));
    assert.deepEqual([valid.code, valid.text.endsWith("12 policies\n")], [0, true], valid.text);
    assert.match((await runTests(dir)).text, /no tests|coverage 100 %/);
  }));

test("a file that is there and differs is never overwritten", () =>
  withFolder({ "policies/prefer-egress.yaml": "mine\n" }, async (dir) => {
    await assert.rejects(
      output((out) => policyAdd(["grants-expire", "prefer-egress"], dir, out)),
      { code: "USAGE" },
    );
    assert.equal(await readFile(join(dir, "policies/prefer-egress.yaml"), "utf8"), "mine\n");
    await assert.rejects(readFile(join(dir, "policies/grants-expire.yaml")), { code: "ENOENT" });
    await assert.rejects(
      output((out) => policyAdd(["grants-expires"], dir, out)),
      { code: "USAGE", fix: "did you mean `grants-expire`?" },
    );
  }));

const POLICY = policyText(
  "short",
  `match: { kinds: [SecretGrant] }
validations:
  - { expression: "has(object.spec.expires) && object.spec.expires < '2029'", message: too long }`,
);
const TESTS = (cases: string): string =>
  `policy: short\ngiven: { object: { spec: { plugin: mail, machines: all, secrets: [{ ref: secret://team/imap, delivery: fd }] } } }\ncases:\n${cases}`;

test("a case that does not hold fails with what came instead, and what no case decides is shown with a caret", () =>
  withFolder(
    {
      "policies/short.yaml": POLICY,
      "policies/tests/short.yaml": TESTS(`  - { name: short, object: { spec: { expires: "2028-01-01" } }, expect: pass }
  - { name: long, object: { spec: { expires: "2030-01-01" } }, expect: [{ rule: 1, level: warn }] }
  - { name: message, object: { spec: { expires: "2030-01-01" } }, expect: [{ rule: 1, message: no }, { rule: 2 }] }\n`),
    },
    async (dir) => {
      const { code, text } = await runTests(dir);
      assert.equal(code, 1);
      assert.match(text, /ok {3}short\n {2}FAIL long\n {9}rule 1: expected warn, got deny\n/);
      assert.match(text, /FAIL message\n {9}there is no rule 2\n {9}rule 1: expected the message "no", got "too long"\n/);
      assert.match(text, /coverage 5 of 6\n {4}7:22 never false\n {6}\| .*has\(object\.spec\.expires\).*\n {6}\| +\^+\n/);
      assert.match(text, /1 passed, 2 failed, coverage 83 %\n$/);
      assert.match((await runTests(dir, 90)).text, /of the 90 % asked for/);
    },
  ));

test("a test file that is wrong is named at its place", () =>
  withFolder({ "policies/short.yaml": POLICY, "policies/tests/short.yaml": TESTS("  - { nam: x, expect: pass }\n") }, async (dir) => {
    const { code, text } = await runTests(dir);
    assert.equal(code, 1);
    assert.match(text, /policies\/tests\/short\.yaml:4:\d+ POLICY_TEST_INVALID/);
    await writeFile(join(dir, "policies/tests/short.yaml"), TESTS("  - { name: x, object: { spec: { plugins: y } }, expect: pass }\n"));
    const second = await runTests(dir);
    assert.match(second.text, /FAIL x[^]*tests\/short\.yaml:4:\d+ POLICY_TEST_INVALID cases\.0\.object\.spec\.plugins: unknown field/);
    await writeFile(
      join(dir, "policies/tests/short.yaml"),
      TESTS("  - { name: x, expect: pass }\n").replace("policy: short", "policy: shrt"),
    );
    assert.match((await runTests(dir)).text, /tests\/short\.yaml:1:9 POLICY_TEST_INVALID/);
  }));

test("validate shows a policy's mistake with a caret", () =>
  withFolder(
    { ...goldenTree(), "policies/short.yaml": POLICY.replace("has(object.spec.expires)", "has(object.spec.expire)") },
    async (dir) => {
      const { code, text } = await output((out) => validate(dir, out));
      assert.equal(code, 1);
      assert.match(
        text,
        /policies\/short\.yaml:7:38 POLICY_INVALID .*`expire`\n {2}\| .*\n {2}\| +\^{6}\n {2}fix: did you mean `expires`\?$/m,
      );
    },
  ));
