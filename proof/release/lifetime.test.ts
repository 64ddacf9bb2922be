import assert from "node:assert/strict";
import { test } from "node:test";
import { timeOf } from "#base/time/index.ts";
import { lifetimeOf } from "./index.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 25);
const doc = { issued: timeOf(START), expires: timeOf(START + 100 * DAY_MS) };

test("a release is ageing from three quarters of its lifetime on, to the millisecond, and expired at its end", () => {
  for (const [ms, want] of [
    [-1, "fresh"], // made by a clock that is ahead
    [75 * DAY_MS - 1, "fresh"],
    [75 * DAY_MS, "ageing"],
    [100 * DAY_MS - 1, "ageing"],
    [100 * DAY_MS, "expired"],
  ] as const)
    assert.equal(lifetimeOf(doc, timeOf(START + ms)), want, String(ms));
});
