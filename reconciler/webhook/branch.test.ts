import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { branchOf } from "./branch.ts";

test("the branch of a push; null for tags, forms, and whatever is no push", () => {
  assert.equal(branchOf(Buffer.from('{"ref":"refs/heads/mooring/releases"}')), "mooring/releases");
  for (const text of [
    '{"ref":"refs/tags/v1"}',
    '{"ref":"main"}',
    '{"ref":1}',
    "{}",
    "[]",
    "null",
    "",
    "payload=%7B%7D",
    '{"ref":{"ref":"x"}}',
  ])
    assert.equal(branchOf(Buffer.from(text)), null, text);
  assert.equal(branchOf(Buffer.from("[".repeat(200_000))), null);
});

test("no bytes throw", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => void branchOf(bytes),
    ),
  );
});
