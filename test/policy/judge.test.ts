import assert from "node:assert/strict";
import { test } from "node:test";
import { edited, goldenTree, type Tree } from "#test/support/fleet-tree.ts";
import { judge, policyText } from "./support.ts";

const PREFER_EGRESS = policyText(
  "prefer-egress",
  `match: { kinds: [SecretGrant] }
params: { fdAllowed: [nobody] }
validations:
  - expression: object.spec.secrets.all(s, s.delivery == 'egress' || object.spec.plugin in params.fdAllowed)
    messageExpression: "'hand ' + object.spec.secrets[0].ref + ' over by egress'"`,
);

const golden = goldenTree();
const withPolicy = (text: string, name = "prefer-egress"): Tree => ({ ...golden, [`policies/${name}.yaml`]: text });
const longer = (tree: Tree): Tree => edited(tree, "grants/greeter.yaml", /expires: .*/, "expires: 2029-01-01");

test("a policy of the base denies a change at the line of the field that decided it", async () => {
  const base = withPolicy(PREFER_EGRESS);
  const { findings, summary } = await judge(base, longer(base));
  assert.deepEqual(summary, { from: "base", judgedByBase: true, evaluated: 1, denied: 1, approvals: [] });
  const [found] = findings;
  assert.equal(found?.code, "POLICY_DENIED");
  assert.equal(found?.level, "error");
  assert.equal(found?.rule, "prefer-egress/1");
  assert.equal(found?.subject, "SecretGrant/greeter /spec/secrets/0/delivery");
  assert.match(found?.message ?? "", /^hand secret:\/\/team\/greeting over by egress/);
  const line = (base["grants/greeter.yaml"] ?? "").split("\n")[(found?.line ?? 0) - 1] ?? "";
  assert.equal(found?.file, "grants/greeter.yaml");
  assert.ok(line.slice((found?.col ?? 0) - 1).startsWith("fd"), line);
});

test("what did not change is not judged, so an old sin stops nobody", async () => {
  const base = withPolicy(PREFER_EGRESS);
  const { findings, summary } = await judge(base, { ...base, "README.md": "hello\n" });
  assert.deepEqual([findings, summary.evaluated], [[], 0]);
});

test("a change that brings a policy is judged without it; the next one is judged by it", async () => {
  const head = longer(withPolicy(PREFER_EGRESS));
  const first = await judge(golden, head);
  assert.deepEqual([first.findings, first.summary.judgedByBase, first.summary.from], [[], true, "base"]);
  assert.equal((await judge(null, head)).summary.from, "head");
  assert.deepEqual(
    (await judge(null, head)).findings.map(({ code }) => code),
    ["POLICY_DENIED"],
  );
});

test("who reviews a new policy sees what it would say about what is there", async () => {
  const { findings, summary } = await judge(golden, withPolicy(PREFER_EGRESS), {}, true);
  assert.deepEqual(
    findings.map(({ code, level, file, rule }) => [code, level, file, rule]),
    [["POLICY_WARNED", "warning", "grants/greeter.yaml", "prefer-egress/1"]],
  );
  assert.match(findings[0]?.message ?? "", /^once this is merged: hand /);
  assert.deepEqual([summary.denied, summary.evaluated], [0, 0]);
});

test("a change cannot take the policy away that denies it", async () => {
  const { findings } = await judge(withPolicy(PREFER_EGRESS), longer(golden));
  assert.deepEqual(
    findings.map(({ code, file }) => [code, file]),
    [["POLICY_DENIED", "grants/greeter.yaml"]],
  );
});

test("a label that gives a grant more machines is a change of the grant", async () => {
  const policy = policyText(
    "no-widening",
    `match: { kinds: [SecretGrant] }
validations:
  - { expression: change.machines.gained == 0, level: warn, message: reaches more machines }`,
  );
  const base = withPolicy(policy, "no-widening");
  const fewer = edited(base, "machines/mini-02.yaml", "role: greeter", "role: spare");
  const { findings } = await judge(fewer, base);
  assert.deepEqual(
    findings.map(({ code, level, file }) => [code, level, file]),
    [["POLICY_WARNED", "warning", "grants/greeter.yaml"]],
  );
});

test("a label taken off in the same change hides no machine from a policy about that label", async () => {
  const base = withPolicy(
    policyText("fra", "match: { kinds: [SecretGrant], machines: { labels: { site: fra } } }\nvalidations: [{ expression: 'false' }]"),
    "fra",
  );
  const grant = { "grants/second.yaml": (base["grants/greeter.yaml"] ?? "").replace("name: greeter", "name: second") };
  const moved = Object.entries(base).map(([path, text]) => [
    path,
    path.startsWith("machines/") ? text.replace("site: fra", "site: ams") : text,
  ]);
  for (const head of [base, Object.fromEntries(moved) as Tree]) {
    const { findings } = await judge(base, { ...head, ...grant });
    assert.deepEqual(
      findings.map(({ code, file }) => [code, file]),
      [["POLICY_DENIED", "grants/second.yaml"]],
    );
  }
});

test("match.machines beside a kind that reaches no machine is a mistake, and what a policy will not match is not foretold", async () => {
  const about = (kind: string, site: string): string =>
    policyText("p", `match: { kinds: [${kind}], machines: { labels: { site: ${site} } } }\nvalidations: [{ expression: 'false' }]`);
  const { findings } = await judge(golden, withPolicy(about("SecretGrant, Secret", "fra"), "p"));
  assert.deepEqual(
    findings.map(({ code, level, line, message }) => [code, level, line, /a Secret reaches no machine/.test(message)]),
    [["POLICY_INVALID", "error", 5, true]],
  );
  const soon = async (site: string) => (await judge(golden, withPolicy(about("SecretGrant", site), "p"), {}, true)).findings.length;
  assert.deepEqual([await soon("fra"), await soon("nowhere")], [1, 0]);
});

test("levels: approval is asked of the owners, an audit is a notice, a policy that cannot be judged denies whatever its level", async () => {
  const policy = policyText(
    "mixed",
    `match: { kinds: [SecretGrant] }
owners: [security@acme.dev]
validations:
  - { expression: "false", level: require-approval, message: ask }
  - { expression: "false", level: audit, message: look }
  - { expression: object.spec.expires == 1 / 0, level: audit }
  - { expression: "'yes'", level: warn }`,
  );
  const base = withPolicy(policy, "mixed");
  const { findings, summary } = await judge(base, longer(base));
  assert.deepEqual(
    findings.map(({ rule, code, level }) => [rule, code, level]).toSorted(([a = ""], [b = ""]) => a.localeCompare(b)),
    [
      ["mixed/1", "POLICY_APPROVAL_NEEDED", "warning"],
      ["mixed/2", "POLICY_WARNED", "notice"],
      ["mixed/3", "POLICY_FAILED", "error"],
      ["mixed/4", "POLICY_FAILED", "error"],
    ],
  );
  assert.deepEqual(summary.approvals, [{ policy: "mixed", owners: ["security@acme.dev"], count: 1 }]);
  assert.match(findings.find(({ rule }) => rule === "mixed/3")?.message ?? "", /division by zero \(policies\/mixed\.yaml:10:41\)/);
});

test("an error in a variable is named where it stands in the variable", async () => {
  const policy = policyText(
    "ratio",
    `match: { kinds: [SecretGrant] }
variables:
  - { name: all, expression: size(object.spec.secrets) }
  - { name: share, expression: variables.all / (variables.all - 1) }
validations:
  - { expression: variables.share > 3 && variables.all == 1 || variables.share == 0, level: warn }`,
  );
  const base = withPolicy(policy, "ratio");
  const { findings } = await judge(base, longer(base));
  assert.deepEqual(
    findings.map(({ code, message }) => [code, message]),
    [["POLICY_FAILED", "cannot be judged: a division by zero (policies/ratio.yaml:8:48) [ratio/1]"]],
  );
});

test("mistakes of a policy are found at their place before anything runs, with a caret", async () => {
  const policy = policyText(
    "slips",
    `match: { kinds: [SecretGrant] }
params: { allowed: [] }
variables:
  - { name: list, expression: object.spec.sekrets }
validations:
  - expression: |
      object.spec.secrets.all(s, s.delivry == 'fd')
        && variables.lst == 1 && params.alowed == 1 && siez(object) == 1
  - { expression: "object.spec.expires <", level: require-approval }`,
  );
  const { findings } = await judge(golden, withPolicy(policy, "slips"));
  assert.deepEqual(
    findings.map(({ code, line, col, fix }) => [code, line, col, fix]),
    [
      ["POLICY_INVALID", 8, 45, "did you mean `secrets`?"],
      ["POLICY_INVALID", 11, 38, "did you mean `delivery`?"],
      ["POLICY_INVALID", 12, 24, "did you mean `list`?"],
      ["POLICY_INVALID", 12, 43, "did you mean `allowed`?"],
      ["POLICY_INVALID", 12, 58, "did you mean `size`?"],
      ["POLICY_INVALID", 13, 42, "correct the expression at the place named; `mooring policy test` runs it"],
      ["POLICY_INVALID", 13, 53, "name them in spec.owners"],
    ],
  );
  assert.match(findings[1]?.excerpt ?? "", /s\.delivry == 'fd'\)\n {37}\^{7}$/);
});

test("a policy that takes too long, or breaks its worker, denies; the next policy is judged by a new worker", async () => {
  const hundred = `[${Array(100).fill("0").join(",")}]`;
  const slow = policyText(
    "a-slow",
    `match: { kinds: [SecretGrant] }
variables: [{ name: n, expression: "${hundred}" }]
validations:
  - expression: variables.n.all(a, variables.n.all(b, variables.n.all(c, variables.n.all(d, variables.n.all(e, a + b + c + d + e == 0)))))
    level: audit`,
  );
  const base = { ...withPolicy(PREFER_EGRESS), "policies/a-slow.yaml": slow };
  const { findings, summary } = await judge(base, longer(base), { policyMs: 3000 });
  assert.deepEqual(
    findings.map(({ code, level, file }) => [code, level, file]),
    [
      ["POLICY_DENIED", "error", "grants/greeter.yaml"],
      ["POLICY_FAILED", "error", "policies/a-slow.yaml"],
    ],
  );
  assert.equal(summary.denied, 2);
});
