import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseProc, parsePs, processTable } from "./processes.ts";

test("a process whose name holds spaces and brackets is read right", () => {
  const stat = "42 (a) b (c) S 1 40 40 0 -1 4194304 1 2 3 4 5 6 7 8 9 10 11 12 9876 100 200";
  assert.deepEqual(parseProc(42, stat, "Name:\tx\nUid:\t5\t6\t7\t8\nGid:\t1\t1\t1\t1\n"), {
    pid: 42,
    uids: [5, 6, 7, 8],
    group: 40,
    started: "9876",
    isZombie: false,
  });
});

test("the output of macOS ps is read, other lines are skipped", () => {
  const text =
    "    1     0     0     1 Ss   Tue Nov 24 10:00:00 2026\n  321   501   502   320 Z+   Tue Nov 24 10:00:01 2026    \nnonsense\n\n";
  assert.deepEqual(parsePs(text), [
    { pid: 1, uids: [0, 0], group: 1, started: "Tue Nov 24 10:00:00 2026", isZombie: false },
    { pid: 321, uids: [501, 502], group: 320, started: "Tue Nov 24 10:00:01 2026", isZombie: true },
  ]);
});

test("no text makes the parsers throw", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => void [parseProc(1, a, b), parsePs(a)]));
});

test("this process is in the table", () => {
  const me = processTable().find((one) => one.pid === process.pid);
  assert.ok(me?.uids.includes(process.getuid?.() ?? 0));
});
