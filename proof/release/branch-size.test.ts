import assert from "node:assert/strict";
import { test } from "node:test";
import { canonBytes } from "#base/canonical/index.ts";
import { pluginSection, TestFleet } from "#test/proof/fleet.ts";
import { isComplete, judgeRelease, type KnownRelease, readKnown } from "./index.ts";

const role = { principals: ["a"], threshold: 1 };

/** How often a list was gone through from end to end, whoever does it. */
function counted(releases: readonly KnownRelease[]): { readonly list: readonly KnownRelease[]; readonly passes: () => number } {
  let reads = 0;
  const list = new Proxy(releases, {
    get(target, name, self) {
      if (name === "0") reads++;
      return Reflect.get(target, name, self) as unknown;
    },
  });
  return { list, passes: () => reads };
}

test("junk on the branch costs one look each, and never one look at all the rest", () => {
  const fleet = new TestFleet({ root: role, release: role, access: role, secrets: role }, ["a"]);
  fleet.machines.set("m1", [pluginSection("mail", 1)]);
  const good = fleet.release(["a"]);
  const doc = JSON.parse(Buffer.from(good.release.bytes).toString()) as object;
  const junk = Array.from({ length: 300 }, (_, i) =>
    readKnown({ bytes: canonBytes({ ...doc, serial: i + 2 }), sigs: good.release.sigs, trust: fleet.trust.bytes }, "acme"),
  );
  const { list, passes } = counted([...junk.toReversed(), good]);
  const asked = list.map((head) => ({ head, releases: list, holds: { pin: fleet.trust.leaf } }));
  const before = passes();
  const may = asked.filter(isComplete);
  assert.deepEqual(
    may.map(({ head }) => head),
    [good],
  );
  assert.ok(passes() - before < 10, `${passes() - before} passes`);
  for (const item of asked) assert.equal(judgeRelease(item).complete, isComplete(item));
});
