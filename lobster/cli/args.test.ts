import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { parseArgs } from "./args.ts";

test("options are read in both spellings", () => {
  const args = parseArgs(["run", "--root=/r", "--plugin-id", "mail", "--detach"]);
  assert.deepEqual([args?.command, args?.root, args?.plugin, args?.isDetached], ["run", "/r", "mail", true]);
  assert.equal(parseArgs(["serve", "--uids", "700"])?.uids, 700);
  for (const command of ["init", "serve", "verify"]) assert.equal(parseArgs([command, "--insecure-one-uid"])?.isOneUid, true);
});

test("help is no command", () => {
  for (const argv of [[], ["--help"], ["help"], ["serve", "--help"]]) assert.equal(parseArgs(argv), null);
});

test("what is not understood is refused", () => {
  const wrong = [
    ["fly"],
    ["serve", "--json"],
    ["serve", "x"],
    ["serve", "--root"],
    ["serve", "--root", "rel"],
    ["serve", "--uids", "0"],
    ["serve", "--uids", "7", "--insecure-one-uid"],
  ];
  wrong.push(["run", "--detach=1"], ["init", "--pins", "/a", "--pins", "/b"], ["toString"]);
  for (const argv of wrong) assert.throws(() => parseArgs(argv), { code: "USAGE" }, argv.join(" "));
});

test("any words give arguments, help or USAGE", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom("run", "serve", "--root", "/r", "--uids", "--plugin-id", "--detach", "--json"));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      try {
        parseArgs(argv);
      } catch (err) {
        assert.ok(err instanceof MooringError && err.code === "USAGE");
      }
    }),
  );
});
