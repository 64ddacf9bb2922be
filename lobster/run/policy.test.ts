import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { afterExit, type History, NO_HISTORY } from "./policy.ts";

const MINUTE = 60_000;
const crash = (at: number, ranMs = 0) => ({ code: 1, signal: null, startedAt: at - ranMs, at });

test("each policy answers code 0, code 1 and a signal as its name says", () => {
  const kinds = (restart: "always" | "on-failure" | "never") =>
    [
      { code: 0, signal: null },
      { code: 1, signal: null },
      { code: null, signal: "SIGKILL" },
    ].map((exit) => afterExit(restart, NO_HISTORY, { ...exit, startedAt: 0, at: 1 }, 0.5).next.kind);
  assert.deepEqual(kinds("always"), ["restart", "restart", "restart"]);
  assert.deepEqual(kinds("on-failure"), ["stopped", "restart", "restart"]);
  assert.deepEqual(kinds("never"), ["stopped", "failed", "failed"]);
});

test("restarts back off from 1 s by doubling, and the sixth crash within ten minutes fails the plugin", () => {
  let history: History = NO_HISTORY;
  const waits: (number | string)[] = [];
  let at = 0;
  for (let i = 0; i < 6; i++) {
    const { next, history: after } = afterExit("always", history, crash(at), 0.5);
    history = after;
    waits.push(next.kind === "restart" ? next.afterMs : next.kind);
    at += 1_000;
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, "failed"]);
});

test("a run of ten minutes wipes the slate", () => {
  const bad: History = { restartsAt: [1, 2, 3, 4, 5], attempt: 5 };
  const { next, history } = afterExit("always", bad, crash(11 * MINUTE, 10 * MINUTE), 0.5);
  assert.deepEqual(next, { kind: "restart", afterMs: 1_000 });
  assert.deepEqual(history.restartsAt, [11 * MINUTE]);
});

test("whatever a plugin does, it is never restarted more than five times in ten minutes and never waits longer than 5 min 30 s", () => {
  const runs = fc.array(fc.record({ ranMs: fc.nat(20 * MINUTE), random: fc.double({ min: 0, max: 0.999, noNaN: true }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(runs, (list) => {
      let history: History = NO_HISTORY;
      let at = 0;
      const restarts: number[] = [];
      for (const { ranMs, random } of list) {
        at += ranMs;
        const answer = afterExit("always", history, crash(at, ranMs), random);
        history = answer.history;
        if (answer.next.kind !== "restart") break;
        assert.ok(answer.next.afterMs <= 330_000);
        restarts.push(at);
        at += answer.next.afterMs;
      }
      for (const start of restarts) assert.ok(restarts.filter((other) => other >= start && other - start < 10 * MINUTE).length <= 5 + 1);
    }),
  );
});
