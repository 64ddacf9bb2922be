import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionsOf, type Facts, withSince } from "./conditions.ts";

const CALM: Facts = {
  observedGeneration: 3,
  phase: { at: "done", generation: 3 },
  trouble: null,
  isObserving: false,
  drifted: [],
  fighting: [],
  plugins: [],
};

function verdict(facts: Partial<Facts>): Record<string, string> {
  return Object.fromEntries(conditionsOf({ ...CALM, ...facts }).map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

test("conditions by what is known", () => {
  assert.deepEqual(verdict({}), {
    Ready: "True Succeeded",
    Reconciling: "False Succeeded",
    Stalled: "False Succeeded",
    Healthy: "True Succeeded",
  });
  assert.equal(verdict({ phase: null })["Ready"], "Unknown NO_RELEASE");
  assert.equal(verdict({ phase: { at: "waiting", missing: ["sha256:0"] } })["Ready"], "False Progressing");
  assert.equal(
    verdict({ phase: { at: "undone", reason: "PLUGIN_NOT_ALIVE", message: "m", generation: 2 } })["Stalled"],
    "True PLUGIN_NOT_ALIVE",
  );
  assert.equal(verdict({ trouble: "DISK_FULL" })["Ready"], "False DISK_FULL");
  assert.equal(verdict({ fighting: ["a"] })["Stalled"], "True DRIFT_FIGHT");
  assert.equal(verdict({ drifted: ["plugin/a"] })["Ready"], "False DRIFTED");
});

test("since moves only when the status does", () => {
  const first = withSince(conditionsOf(CALM), [], 3, 1_000);
  const second = withSince(conditionsOf({ ...CALM, drifted: ["x"] }), first, 3, 2_000);
  const third = withSince(conditionsOf({ ...CALM, fighting: ["x"] }), second, 3, 3_000);
  const ready = [first, second, third].map((each) => each.find(({ type }) => type === "Ready")?.since);
  assert.deepEqual(ready, ["1970-01-01T00:00:01.000Z", "1970-01-01T00:00:02.000Z", "1970-01-01T00:00:02.000Z"]);
});
