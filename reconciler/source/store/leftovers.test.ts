import assert from "node:assert/strict";
import { test } from "node:test";
import { isLeftover, ownName } from "./leftovers.ts";

test("what this run makes is no leftover; what a dead process made is, also one that had our number", () => {
  const mine = ownName("copy");
  assert.equal(isLeftover(mine), false);
  assert.equal(isLeftover(`${ownName("tmp")}.pack`), false);
  assert.equal(isLeftover(mine.replace(/-[0-9a-f]{8}([0-9a-f]+)$/, "-00000000$1")), true);
  assert.equal(isLeftover(`copy-${process.ppid}-00000000aaaa`), false); // somebody else's, and alive
  assert.equal(isLeftover("tmp-4194399-00000000aaaa.pack"), true); // beyond the highest number a process may have
  for (const other of ["current", "copy-1", "pack-1-00000000aaaa", "copy-x-00000000aaaa"]) assert.equal(isLeftover(other), false);
});
