import assert from "node:assert/strict";
import { test } from "node:test";
import { isOnlyDrift } from "./steps.ts";

const want = [
  ["grant/a", "sha256:1"],
  ["plugin/mail", "sha256:2"],
] as const;

test("what a machine corrects by itself needs no apply; anything else does", () => {
  const cases: readonly (readonly [string, readonly (readonly [string, string])[], Record<string, unknown>, boolean])[] = [
    ["a drifted file", [want[0], ["plugin/mail", "sha256:d"]], { "plugin/mail": [] }, true],
    ["another version", [want[0], ["plugin/mail", "sha256:9"]], {}, false],
    ["a missing section", [want[0]], {}, false],
    ["a section too many", [...want, ["plugin/old", "sha256:3"]], {}, false],
    ["another section drifted", [want[0], ["plugin/chat", "sha256:d"]], { "plugin/chat": [] }, false],
  ];
  for (const [name, live, drifted, expected] of cases) assert.equal(isOnlyDrift(live, drifted, want), expected, name);
});
