import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { CATALOG, formatError, hasCode, isErrorCode, MooringError, toProblem } from "./index.ts";

const cause = new Error("token=hunter2");

test("a person reads code, message, why and fix, and never the cause", () => {
  const err = new MooringError("DEADLINE_PASSED", "mini-01: no answer in 5 ms", { why: "it is asleep", cause, have: 5 });
  assert.equal(formatError(err), `DEADLINE_PASSED: mini-01: no answer in 5 ms\n  why: it is asleep\n  fix: ${CATALOG.DEADLINE_PASSED.fix}`);
  assert.ok(!formatError(cause).includes("hunter2"));
  assert.ok(inspect(err).includes("hunter2"), "inspect prints causes: that is why errors are never logged whole");
});

test("names in an error reach a terminal as text", () => {
  const err = new MooringError("MERGE_CONFLICT", "machines/a\u001b[2J\u202e.yaml", { why: "both\nsides", fix: "see" });
  assert.equal(formatError(err), "MERGE_CONFLICT: machines/a?[2J?.yaml\n  why: both\nsides\n  fix: see");
});

test("a problem carries what the queue acts on, and never the cause", () => {
  const problem = toProblem(new MooringError("DEADLINE_PASSED", "mini-01", { fix: "wake it", cause, have: 5 }));
  assert.deepEqual(problem, { code: "DEADLINE_PASSED", message: "mini-01", fix: "wake it", disposition: "retry", have: 5 });
});

test("codes are known by name alone", () => {
  assert.ok(isErrorCode("NOT_YET") && !isErrorCode("toString") && !isErrorCode(7));
  assert.ok(hasCode(new MooringError("NOT_YET", "x"), "NOT_YET") && !hasCode({ code: "NOT_YET" }, "NOT_YET"));
});

test("every code has a next step that is a sentence without its full stop", () => {
  for (const [code, { fix }] of Object.entries(CATALOG)) assert.match(fix, /^[^A-Z].*[^.]$/s, code);
});
