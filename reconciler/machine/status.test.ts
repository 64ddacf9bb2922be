import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CATALOG, type ErrorCode, type Problem } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import type { AgentStatus } from "#schemas/wire/index.ts";
import { conditionsOf, type Known } from "./status.ts";

const NOW = "2026-11-25T10:00:00.000Z" as Time;
const problem: fc.Arbitrary<Problem> = fc
  .constantFrom(...(Object.keys(CATALOG) as ErrorCode[]))
  .map((code) => ({ code, message: code, ...CATALOG[code] }));
const agent: fc.Arbitrary<AgentStatus> = fc.array(fc.constantFrom("healthy", "unhealthy", "unknown")).map((list) => ({
  conditions: [],
  held: null,
  plugins: list.map((health, i) => ({ id: `p${i}`, version: "1", state: "running", pid: 1, runSeq: 1, restarts: 0, health, since: NOW })),
}));
const known: fc.Arbitrary<Known> = fc.record({
  phase: fc.constantFrom("idle", "working"),
  error: fc.option(problem),
  inSync: fc.boolean(),
  drifted: fc.array(fc.string(), { maxLength: 2 }),
  agent: fc.option(agent),
  generation: fc.nat(),
});

test("conditions keep Flux's rules whatever is known", () => {
  fc.assert(
    fc.property(known, (facts) => {
      const conditions = conditionsOf(facts, [], NOW);
      const is = (type: string): string | undefined => conditions.find((each) => each.type === type)?.status;
      assert.equal(conditions.length, 4);
      assert.ok(!(is("Stalled") === "True" && is("Reconciling") === "True"), "both stalled and reconciling");
      if (is("Stalled") === "True" || is("Reconciling") === "True") assert.notEqual(is("Ready"), "True");
      if (is("Stalled") === "True") assert.equal(is("Ready"), "False");
      if (facts.error !== null || is("Healthy") === "False") assert.notEqual(is("Ready"), "True", "a failure reads as success");
      for (const { observedGeneration } of conditions) assert.equal(observedGeneration, facts.generation);
    }),
  );
});

test("a plugin that is not alive makes a machine unhealthy and not ready", () => {
  const ill: AgentStatus = {
    conditions: [],
    held: null,
    plugins: [{ id: "mail", version: "1", state: "failed", pid: null, runSeq: 1, restarts: 6, health: "unhealthy", since: NOW }],
  };
  const conditions = conditionsOf({ phase: "idle", error: null, inSync: true, drifted: [], agent: ill, generation: 3 }, [], NOW);
  assert.equal(conditions.find(({ type }) => type === "Ready")?.reason, "PLUGIN_UNHEALTHY");
});

test("since stays while a status stays", () => {
  const facts: Known = { phase: "idle", error: null, inSync: true, drifted: [], agent: null, generation: 1 };
  const first = conditionsOf(facts, [], NOW);
  const again = conditionsOf(facts, first, "2026-11-25T11:00:00.000Z" as Time);
  assert.ok(again.every(({ since }) => since === NOW));
});
