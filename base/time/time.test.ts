import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { asTime, backoffMs, isTime, msOf, sleep, timeOf, withDeadline } from "./index.ts";

test("an instant has one spelling, and text order is time order", () => {
  const instant = fc.integer({ min: 0, max: Date.UTC(9999, 0) });
  fc.assert(
    fc.property(instant, instant, (a, b) => {
      assert.equal(msOf(asTime(timeOf(a), "here")), a);
      assert.equal(timeOf(a) < timeOf(b), a < b);
    }),
  );
});

test("other spellings of an instant are refused", () => {
  for (const text of [
    "",
    "2026-11-25",
    "2026-11-25T10:00:00Z",
    "2026-11-25T10:00:00.000+00:00",
    "2026-02-30T00:00:00.000Z",
    "+012026-11-25T10:00:00.000Z",
    0,
  ])
    assert.throws(() => asTime(text, "here"), { code: "TIME_MALFORMED" });
  fc.assert(fc.property(fc.string(), (text) => !isTime(text)));
});

test("waits grow to their limit and stay within a tenth of it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const ms = backoffMs(attempt, { baseMs: 100, maxMs: 60_000 }, random);
      assert.ok(ms >= 90 && ms <= 66_000);
    }),
  );
  assert.equal(backoffMs(3, { baseMs: 100, maxMs: 60_000 }, 0.5), 400);
});

test("a deadline ends the wait and tells the work, and a finished work leaves no timer", async () => {
  let told: AbortSignal | undefined;
  const never = withDeadline("peer", 1, (signal) => {
    told = signal;
    return new Promise<never>(() => {});
  });
  await assert.rejects(never, { code: "DEADLINE_PASSED" });
  assert.equal(told?.aborted, true);
  assert.equal(await withDeadline("peer", 3_600_000, () => Promise.resolve(7)), 7);
});

test("work sees its caller's signal, and a sleeper wakes by it", async () => {
  const outer = AbortSignal.abort(new Error("stop"));
  assert.equal(await withDeadline("peer", 3_600_000, (signal) => Promise.resolve(signal.aborted), outer), true);
  await sleep(3_600_000, outer);
});
