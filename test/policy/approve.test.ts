import assert from "node:assert/strict";
import { test } from "node:test";
import { CliBench, selected } from "#test/cli/bench.ts";
import { policyText } from "./support.ts";

const GRANT = "grants/greeter.yaml";
const POLICIES = {
  "policies/ask-ops.yaml": policyText(
    "ask-ops",
    `match: { kinds: [SecretGrant, Policy] }
owners: [ops@acme.dev]
validations:
  - { expression: "change.action == 'keep'", level: require-approval, message: ask }`,
  ),
  "policies/short.yaml": policyText(
    "short",
    `match: { kinds: [SecretGrant] }
validations:
  - { expression: object.spec.expires < '2031', message: too long }`,
  ),
};

test("an owner of a policy, who is in no role, approves by signing the release; others are told what the policies say", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.commit(POLICIES);
  await bench.releaseAll();
  const trustRoot = await bench.root();
  const until = (year: string): Record<string, string> => ({
    [GRANT]: (bench.tree[GRANT] ?? "").replace(/expires: .*/, `expires: ${year}-01-01`),
  });

  await bench.branch("longer", until("2030"));
  const first = await bench.approve("a@acme.dev", "longer");
  assert.match(first.text, /the hub does not take this while policies say:\n {2}grants\/greeter\.yaml:4:9 POLICY_APPROVAL_NEEDED ask/);
  await bench.approve("security@acme.dev", "longer");
  const owner = await bench.approve("ops@acme.dev", "longer", { trustRoot });
  assert.match(owner.text, /signed release 2 as ops@acme\.dev/);
  assert.match((await bench.approve("ops@acme.dev", "longer", { trustRoot })).text, /release 2 covers the merge of longer/);
  await bench.commit(until("2030"));
  assert.equal((await selected(bench)).serial, 2);

  await bench.branch("denied", until("2040"));
  assert.match((await bench.approve("a@acme.dev", "denied")).text, /POLICY_DENIED too long/);
});

test("a change of policies alone is approved by a release of its own", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.commit(POLICIES);
  await bench.releaseAll();
  const trustRoot = await bench.root();
  await bench.branch("no-short", { "policies/short.yaml": null });
  assert.match((await bench.approve("a@acme.dev", "no-short")).text, /release 1 covers[^]*POLICY_APPROVAL_NEEDED/);
  const owner = await bench.approve("ops@acme.dev", "no-short", { trustRoot });
  assert.match(owner.text, /signed release 2 as ops@acme\.dev\nstill to sign:\n {2}release/);
});
