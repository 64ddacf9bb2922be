import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "#base/time/index.ts";
import { coalesced } from "./burst.ts";

test("a burst acts at once and once more after it; the next one acts again; nothing after the end", async () => {
  const stop = new AbortController();
  const seen = { acts: 0 };
  const notice = coalesced(() => (seen.acts += 1), 20, stop.signal);
  for (let i = 0; i < 50; i++) notice();
  assert.equal(seen.acts, 1);
  while (seen.acts < 2) await sleep(5);
  await sleep(60);
  assert.equal(seen.acts, 2);
  notice();
  assert.equal(seen.acts, 3);
  notice();
  stop.abort();
  notice();
  await sleep(40);
  assert.equal(seen.acts, 3);
});
