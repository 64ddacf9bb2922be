import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, Level } from "#reconciler/desired/index.ts";
import { edited, goldenTree } from "#test/support/fleet-tree.ts";
import { reviewTrees } from "#test/support/review.ts";
import { exitCodeOf, footerOf, type Review, rolesExitCode, statusesOf } from "./index.ts";

const GOLDEN = goldenTree();
const changed = await reviewTrees(GOLDEN, edited(GOLDEN, "grants/greeter.yaml", "2028-01-01", "2029-01-01"));
const same = await reviewTrees(GOLDEN, { ...GOLDEN, "README.md": "typo\n" });

const found = (level: Level, code: Finding["code"] = "NOT_YET"): Finding => ({
  code,
  level,
  file: "x.yaml",
  line: 1,
  col: 1,
  endLine: 1,
  endCol: 1,
  message: "",
  fix: "",
});
const withFindings = (review: Review, ...findings: readonly Finding[]): Review => ({ ...review, findings });
const denied = (review: Review, count: number): Review => ({ ...review, policies: { ...review.policies, denied: count } });
const states = (review: Review): readonly string[] =>
  statusesOf(review).map(({ context, state, description }) => `${context} ${state} ${description}`);

test("plan is red for errors alone, roles wait and are never red", () => {
  assert.deepEqual(states(changed), ["mooring/plan success 3 machines", "mooring/roles pending 3 machines · waiting for 5 signatures"]);
  assert.deepEqual(states(same), ["mooring/plan success 0 machines", "mooring/roles success nothing to sign"]);
  assert.deepEqual(states(withFindings(changed, found("error"), found("warning"), found("notice"))), [
    "mooring/plan failure 3 machines · 1 error · 1 warning",
    "mooring/roles pending 3 machines · errors come first",
  ]);
  const covered: Review = { ...changed, release: { at: "covered", serial: 8, inForce: 7, verified: true } };
  assert.deepEqual(states(covered)[1], "mooring/roles success 3 machines · release 8 covers it");
});

test("exit codes: 0 no changes, 2 changes, 3 denied by policy, 1 error", () => {
  assert.deepEqual([exitCodeOf(same), exitCodeOf(changed)], [0, 2]);
  assert.equal(exitCodeOf(withFindings(changed, found("warning"))), 2);
  assert.equal(exitCodeOf(withFindings(same, found("error"))), 1);
  assert.equal(exitCodeOf(denied(withFindings(changed, found("error")), 1)), 3);
  assert.equal(exitCodeOf(denied(withFindings(changed, found("error"), found("error")), 1)), 1);
  assert.equal(exitCodeOf({ ...same, plan: { ...same.plan, hub: ["fleet.intervalSeconds: 600 → 300"] } }), 2); // no signature, and still a change
  assert.deepEqual([rolesExitCode(same), rolesExitCode(changed), rolesExitCode(withFindings(changed, found("error")))], [0, 2, 1]);
});

test("the footer says how to sign and what merging first does, where something waits", () => {
  assert.deepEqual(footerOf(same), []);
  assert.deepEqual(footerOf(withFindings(changed, found("error"))), []);
  const release = { at: "open", serial: null, inForce: 8, verified: true } as const;
  assert.deepEqual(footerOf({ ...changed, pr: 42, release }), [
    "Sign: mooring approve 42",
    "Merging first is safe: machines stay on release 8",
  ]);
  assert.match(footerOf({ ...changed, head: "worktree", release })[0] ?? "", /^Commit and push it/);
});
