import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Budget } from "./budget.ts";
import { TimeFloor } from "./floor.ts";

test("whatever the wall clock does, now never goes back nor below a signed time", () => {
  const step = fc.record({
    wall: fc.integer({ min: -1e12, max: 1e12 }),
    passed: fc.integer({ min: 0, max: 1e6 }),
    signed: fc.option(fc.integer({ min: 0, max: 1e12 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let [wall, mono, last] = [0, 0, 0];
      const floor = new TimeFloor(
        () => wall,
        () => mono,
      );
      for (const { wall: w, passed, signed } of steps) {
        wall = w;
        mono += passed;
        if (signed !== null) floor.observe(signed);
        const now = floor.now();
        assert.ok(now >= last + passed && now >= wall && now >= (signed ?? 0));
        last = now;
      }
    }),
  );
});

test("a clock set back extends nothing: time goes on from where it was", () => {
  let [wall, mono] = [1_000_000, 0];
  const floor = new TimeFloor(
    () => wall,
    () => mono,
  );
  assert.equal(floor.now(), 1_000_000);
  wall = 0;
  mono = 500;
  assert.equal(floor.now(), 1_000_500);
});

test("a budget gives its burst, then what has grown back", () => {
  const budget = new Budget(2, 1, 0);
  assert.deepEqual([budget.take(0), budget.take(0), budget.take(0)], [true, true, false]);
  assert.equal(budget.waitMs(0), 1_000);
  assert.deepEqual([budget.take(999), budget.take(1_000), budget.take(1_000)], [false, true, false]);
  assert.equal(budget.take(1e9, 3), false);
});
