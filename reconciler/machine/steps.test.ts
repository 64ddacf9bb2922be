import assert from "node:assert/strict";
import { test } from "node:test";
import { MooringError } from "#base/errors/index.ts";
import { inTurn, isOnlyDrift } from "./steps.ts";

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

// Once two machines asked at the same time after a change of trust: the first moved the vault on, and every chain of the second came too late or too early.
test("a vault that another machine's request moves on between two chains is asked with the shorter one again", async () => {
  let stands = "old";
  const asked: string[] = [];
  const ask = async (chain: "none" | "from old"): Promise<string> => {
    asked.push(chain);
    const leadsTo = chain === "none" ? "new" : "old";
    const fits = stands === leadsTo;
    stands = "new"; // the other machine's request came through
    if (!fits) throw new MooringError("TRUST_BROKEN", "a chain from elsewhere");
    return "sealed";
  };
  assert.equal(await inTurn(["none", "from old"] as const, ask), "sealed");
  assert.deepEqual(asked, ["none", "from old", "none"]);
});

test("a chain that leads nowhere is said after two rounds, another refusal at once", async () => {
  let count = 0;
  const refuse = (code: "TRUST_BROKEN" | "SERIAL_OLD") => async (): Promise<never> => {
    count += 1;
    throw new MooringError(code, "the vault");
  };
  await assert.rejects(inTurn([1, 2, 3], refuse("TRUST_BROKEN")), { code: "TRUST_BROKEN" });
  assert.equal(count, 6);
  await assert.rejects(inTurn([1, 2, 3], refuse("SERIAL_OLD")), { code: "SERIAL_OLD" });
  assert.equal(count, 7);
  await assert.rejects(inTurn([], refuse("SERIAL_OLD")), { code: "TRUST_BROKEN" });
});
