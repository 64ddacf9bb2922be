import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { shellWord } from "#reconciler/source/transport/quote.ts";

test("a shell reads one word, the text itself, whatever it holds", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."'!\"$`\\;&|<>()*?[]{}~# \t\n-".split("")) }),
    fc.string({ unit: "grapheme" }),
  );
  fc.assert(
    fc.property(
      fc.array(
        text.map((one) => one.replaceAll("\0", "")),
        { minLength: 1, maxLength: 30 },
      ),
      (words) => {
        const script = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
        assert.deepEqual(
          execFileSync("/bin/sh", ["-c", script]).toString("utf8").split("\0").slice(0, -1),
          words.map((word) => Buffer.from(word).toString("utf8")),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test("it is written as git writes it: git-shell takes it apart by the same rule", () => {
  assert.equal(shellWord("acme/fleet.git"), "'acme/fleet.git'");
  assert.equal(shellWord("it's!"), `'it'\\''s'\\!''`);
});
