import assert from "node:assert/strict";
import { test } from "node:test";
import { makeFights } from "./fight.ts";

const rule = { limit: 5, windowMs: 60_000, maxPauseMs: 600_000 };

test("the sixth correction of one path in a minute is a fight, of other paths not", () => {
  const fights = makeFights(rule);
  for (let i = 0; i < 5; i++) assert.equal(fights.note("a", i * 1000), false);
  assert.equal(fights.note("a", 6_000), true);
  assert.equal(fights.note("b", 6_000), false);
  assert.deepEqual(fights.fighting(6_001), ["a"]);
  assert.equal(fights.pauseMs("a", 6_000), 60_000);
  assert.equal(fights.pauseMs("b", 6_000), 0);
});

test("slow corrections are no fight", () => {
  const fights = makeFights(rule);
  for (let i = 0; i < 50; i++) assert.equal(fights.note("a", i * 13_000), false);
});

test("each further round pauses twice as long, up to the most", () => {
  const fights = makeFights(rule);
  let now = 0;
  const pauses: number[] = [];
  for (let round = 0; round < 6; round++) {
    while (!fights.note("a", now)) now += 1;
    pauses.push(fights.pauseMs("a", now));
    now += fights.pauseMs("a", now);
  }
  assert.deepEqual(pauses, [60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
});
