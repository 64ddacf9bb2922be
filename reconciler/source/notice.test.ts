import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Notice } from "./notice.ts";

const HOUR = 3_600_000;
const never = new AbortController().signal;

test("pauses vary by a tenth around the poll's own, and grow after failures up to a minute", () => {
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: HOUR }), fc.nat(40), random, (pollMs, failures, r) => {
      const ms = new Notice({ pollMs, random: () => r }).pauseMs(failures);
      assert.ok(ms <= pollMs * 1.1 && (failures === 0 ? ms >= pollMs * 0.9 : ms >= 900 || ms <= pollMs));
      if (failures > 0) assert.ok(ms <= 66_000);
    }),
  );
  const slow = new Notice({ pollMs: HOUR, random: () => 0.5 });
  assert.deepEqual(
    [1, 2, 3, 7, 30].map((failures) => slow.pauseMs(failures)),
    [1_000, 2_000, 4_000, 60_000, 60_000],
  );
  assert.equal(new Notice({ pollMs: 5_000, random: () => 0.5 }).pauseMs(20), 5_000);
});

test("a hint ends the wait, a burst of them is one, and one during a look causes one more", async () => {
  const notice = new Notice({ pollMs: HOUR, random: () => 0.5, quietMs: 1, gapMs: 1 });
  for (let n = 0; n < 100; n++) notice.notice();
  await notice.wait(0, never);
  const stop = new AbortController();
  let isOver = false;
  const second = notice.wait(0, stop.signal).then(() => (isOver = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isOver, false); // the burst is used up
  notice.notice();
  await second;
  notice.notice(); // while the look runs
  await notice.wait(5, never);
  const last = notice.wait(0, stop.signal);
  stop.abort();
  await last;
});

test("a flood of hints causes no more looks than the gap allows", async () => {
  const notice = new Notice({ pollMs: HOUR, random: () => 0.5, quietMs: 0, gapMs: 40 });
  const flood = setInterval(() => notice.notice(), 1);
  const start = performance.now();
  for (let n = 0; n < 5; n++) await notice.wait(0, never);
  clearInterval(flood);
  assert.ok(performance.now() - start >= 4 * 39, "five looks have four gaps between them");
});
