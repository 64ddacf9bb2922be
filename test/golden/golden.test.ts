/** Plans and reviews of whole changes, reviewed like code. A case is a folder with head/ (and base/): files laid over fleet/; a file named `x.gone` takes x
 *  away. UPDATE_GOLDEN=1 writes plan.txt, plan.json and review.txt anew. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { planJson, planText } from "#plan/index.ts";
import { reviewText } from "#cli/review/index.ts";
import { readTree, type Tree } from "#test/support/fleet-tree.ts";
import { reviewTrees } from "#test/support/review.ts";

const HERE = import.meta.dirname;
const CASES = readdirSync(HERE, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== "fleet");

for (const { name } of CASES) {
  test(`golden plan: ${name}`, async () => {
    const fleet = readTree(join(HERE, "fleet"));
    const review = await reviewTrees(laidOver(fleet, join(HERE, name, "base")), laidOver(fleet, join(HERE, name, "head")));
    check(join(HERE, name, "plan.txt"), planText(review.plan));
    check(join(HERE, name, "plan.json"), `${JSON.stringify(planJson(review.plan), null, 2)}\n`);
    check(join(HERE, name, "review.txt"), reviewText(review));
  });
}

test("there are golden plans", () => {
  assert.ok(CASES.length >= 8);
});

function laidOver(fleet: Tree, dir: string): Tree {
  const over = existsSync(dir) ? readTree(dir) : {};
  const gone = new Set(
    Object.keys(over)
      .filter((path) => path.endsWith(".gone"))
      .map((path) => path.slice(0, -".gone".length)),
  );
  return Object.fromEntries(Object.entries({ ...fleet, ...over }).filter(([path]) => !gone.has(path) && !path.endsWith(".gone")));
}

function check(file: string, text: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"), `${file} (UPDATE_GOLDEN=1 writes it anew)`);
}
