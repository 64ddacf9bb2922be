import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "#base/time/index.ts";
import { makeQueue } from "./queue.ts";

test("a key added many times while it runs runs once more", async () => {
  const runs: string[] = [];
  const open: (() => void)[] = [];
  const queue = makeQueue(4, async (key) => {
    runs.push(key);
    await new Promise<void>((resolve) => open.push(resolve));
    return null;
  });
  queue.add("mini-01");
  for (let i = 0; i < 5; i++) queue.add("mini-01");
  assert.deepEqual(runs, ["mini-01"]);
  open.shift()?.();
  await sleep(1);
  assert.deepEqual(runs, ["mini-01", "mini-01"]);
  open.shift()?.();
  await queue.idle();
  assert.equal(runs.length, 2);
});

test("a key that hangs delays no other", async () => {
  const done: string[] = [];
  let release = (): void => undefined;
  const queue = makeQueue(2, async (key) => {
    if (key === "offline") await new Promise<void>((resolve) => (release = resolve));
    done.push(key);
    return null;
  });
  for (const key of ["offline", "a", "b", "c"]) queue.add(key);
  await sleep(5);
  assert.deepEqual(done, ["a", "b", "c"]);
  release();
  await queue.stop();
});

test("a key removed while it runs does not run again", async () => {
  let runs = 0;
  const open: (() => void)[] = [];
  const queue = makeQueue(1, async () => {
    runs += 1;
    await new Promise<void>((resolve) => open.push(resolve));
    return { againInMs: 0 };
  });
  queue.add("a");
  queue.remove("a");
  open.shift()?.();
  await sleep(10);
  assert.equal(runs, 1);
  await queue.stop();
});
