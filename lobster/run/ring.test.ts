import assert from "node:assert/strict";
import { test } from "node:test";
import { type Line, Ring } from "./ring.ts";

test("a follower gets what is kept, then what comes, until it stops", () => {
  const ring = new Ring();
  const seen: Line[] = [];
  ring.push("stdout", "a");
  const stop = ring.follow((line) => seen.push(line));
  ring.push("stderr", "b");
  stop();
  ring.push("stdout", "c");
  assert.deepEqual(seen, [
    { seq: 1, stream: "stdout", text: "a" },
    { seq: 2, stream: "stderr", text: "b" },
  ]);
});

test("a flood keeps the newest lines within bounds and never uses a number twice", () => {
  const ring = new Ring();
  for (let i = 0; i < 5_000; i++) ring.push("stdout", "x".repeat(1_000));
  const kept: Line[] = [];
  ring.follow((line) => kept.push(line))();
  assert.ok(kept.length * 1_000 <= 512 * 1_024);
  assert.equal(kept.at(-1)?.seq, 5_000);
  assert.ok(kept.every((line, i) => i === 0 || line.seq === (kept[i - 1]?.seq ?? 0) + 1));
});
