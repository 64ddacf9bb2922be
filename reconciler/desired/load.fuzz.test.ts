import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fullTree } from "#test/support/full-tree.ts";
import { filesOf, gate, loadFleet, newLoadCache, resolve, rootsOf } from "./index.ts";

test("no change of any file makes loader, gate or resolver throw", async () => {
  const tree = fullTree();
  const cache = newLoadCache();
  const junk = fc.constantFrom(
    "",
    "&a ",
    "!!x ",
    "- ",
    ": ",
    "{",
    "[",
    "'",
    '"',
    "\n",
    "null",
    "1.10",
    "all",
    "[]",
    "{}",
    "-1",
    "0",
    "sha256:",
    "\u0000",
    "constructor",
    "*",
    "9".repeat(20),
  );
  const change = fc.record({
    path: fc.constantFrom(...Object.keys(tree)),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(12),
    put: junk,
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ path, at, cut, put }) => {
      const text = tree[path]!;
      const start = Math.floor(at * text.length);
      const result = await loadFleet(filesOf({ ...tree, [path]: text.slice(0, start) + put + text.slice(start + cut) }), { cache });
      for (const item of result.findings) assert.ok(item.line >= 1 && item.col >= 1 && item.message !== "" && item.fix !== "");
      if (result.fleet === undefined) assert.ok(result.findings.some((item) => item.level === "error"));
      else {
        gate(result.fleet);
        rootsOf(resolve(result.fleet));
      }
    }),
    { numRuns: 600 },
  );
});
