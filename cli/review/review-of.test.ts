import assert from "node:assert/strict";
import { test } from "node:test";
import { canon } from "#base/canonical/index.ts";
import { planJson } from "#plan/index.ts";
import { edited, goldenTree } from "#test/support/fleet-tree.ts";
import { reviewTrees } from "#test/support/review.ts";
import { wideTree } from "#test/support/wide-tree.ts";
import { causeOf, missingIn } from "./changed-lines.ts";
import { accessLine } from "./index.ts";

const GOLDEN = goldenTree();
const BROKEN = edited(GOLDEN, "plugins/greeter.yaml", "  machines:", "  machnies: all\n  machines:");

test("a head that can't be read has findings, an empty plan and nothing to sign yet", async () => {
  const review = await reviewTrees(GOLDEN, BROKEN);
  assert.deepEqual(
    review.findings.map(({ code, level }) => `${level} ${code}`),
    ["error FLEET_FIELD_UNKNOWN"],
  );
  assert.deepEqual([review.plan.steps.size, review.roles, review.access, review.fleet], [0, [], [], "acme"]);
});

test("a base that can't be read is one warning, and everything is new", async () => {
  const review = await reviewTrees(BROKEN, GOLDEN);
  assert.deepEqual(
    review.findings.map(({ code, level }) => `${level} ${code}`),
    ["warning FLEET_FIELD_UNKNOWN"],
  );
  assert.deepEqual([review.plan.steps.size, review.deletions], [3, []]);
});

test("another name of the fleet is an error once something is released, and the review keeps the old one", async () => {
  const renamed = edited(GOLDEN, "fleet.yaml", "name: acme", "name: acme2");
  const state = { at: "covered", serial: 1, inForce: 1, verified: true } as const;
  const view = { state, missing: [], signed: () => [], needsTouch: () => false, head: null };
  for (const [release, level] of [
    [view, "error"],
    [{ ...view, state: { ...state, inForce: null } }, "warning"],
  ] as const) {
    const { findings, fleet } = await reviewTrees(GOLDEN, renamed, { release });
    assert.deepEqual(
      findings.map(({ code, level: own, file, line }) => [code, own, file, line, fleet]),
      [["FLEET_RENAMED", level, "fleet.yaml", 4, "acme"]],
    );
  }
});

test("without a base everything is gained", async () => {
  const review = await reviewTrees(null, GOLDEN);
  assert.equal(review.base, null);
  const lines = review.access.map(accessLine);
  assert.ok(
    lines.some((line) =>
      line.startsWith(
        "plugin greeter on mini-01, mini-02, mini-03 gains secret://team/greeting (by fd, until 2028-01-01), by grants/greeter.yaml:9",
      ),
    ),
  );
  assert.ok(lines.includes("a@acme.dev gains role release (1 of 2 sign), by fleet.yaml:11"), lines.join("\n"));
});

test("the guard shows in the review, with the place in the base, and who confirmed it", async () => {
  const base = wideTree(10);
  const head = Object.fromEntries(Object.entries(base).filter(([path]) => !/^machines\/m-0[0-2]/.test(path)));
  const held = await reviewTrees(base, head);
  assert.deepEqual(
    held.findings.map(({ code, level, file, line }) => `${level} ${code} ${file}:${line}`),
    ["error PRUNE_UNCONFIRMED machines/m-00.yaml:4"],
  );
  assert.equal(held.deletions.length, 3);
  const confirmed = await reviewTrees(base, head, { confirmedBy: ["ops@acme.dev"] });
  assert.deepEqual(
    confirmed.findings.map(({ level }) => level),
    ["notice"],
  );
});

test("reach is counted by the rollout's partitions", async () => {
  const base = wideTree(10);
  const rollout = "  rollout: { partitions: [ring=canary, site=s0] }\n";
  const before = { ...base, "plugins/p-00.yaml": base["plugins/p-00.yaml"]! + rollout };
  const after = { ...before, "plugins/p-00.yaml": `${before["plugins/p-00.yaml"]}  config: { tone: warm }\n` };
  const { blast } = await reviewTrees(before, after);
  assert.deepEqual(
    blast.map(({ partition, machines, of }) => [partition, machines, of]),
    [
      ["ring=canary", 3, 3],
      ["site=s0", 2, 2],
      ["", 5, 5],
    ],
  );
});

test("equal inputs give equal reviews, whatever the order of files", async () => {
  const head = edited(GOLDEN, "grants/greeter.yaml", "2028-01-01", "2029-01-01");
  const turned = Object.fromEntries(Object.entries(head).reverse());
  const text = async (tree: typeof head): Promise<string> => {
    const review = await reviewTrees(GOLDEN, tree);
    return canon(JSON.parse(JSON.stringify({ ...review, plan: planJson(review.plan) })));
  };
  assert.equal(await text(head), await text(turned));
});

test("a line counts as changed when the other side has fewer of it", () => {
  assert.deepEqual([...missingIn(["a", "b", "b", "c"], ["b", "a"])], [3, 4]);
  assert.deepEqual([...missingIn(["a"], ["a", "a"])], []);
});

test("the cause is a changed line, else what changed in the same file, else nothing", () => {
  const changed = new Map([["x.yaml", new Set([4, 9])]]);
  const at = (file: string, line: number) => ({ file, line });
  assert.deepEqual(causeOf([at("y.yaml", 1), at("x.yaml", 9)], changed), [at("x.yaml", 9)]);
  assert.deepEqual(causeOf([at("y.yaml", 1), at("x.yaml", 2)], changed), [at("x.yaml", 4)]);
  assert.deepEqual(causeOf([at("x.yaml", 2)], new Map([["x.yaml", new Set<number>()]])), [at("x.yaml", 2)]);
  assert.equal(causeOf([at("y.yaml", 1)], changed), null);
});
