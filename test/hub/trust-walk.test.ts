/** Machines that sleep while people change: over releases that change trust, over others that change access, and over both. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { asDigest, type Digest } from "#base/canonical/index.ts";
import { sleep } from "#base/time/index.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { World } from "./world.ts";

let world: World;
let firstRoot: Digest;
before(async () => {
  world = await World.make();
  firstRoot = (await world.fleet.resolved()).trustLeaf;
  await world.startHub();
  await world.until((view) => view.inSync);
});
after(() => world.close());

const ROOT = /root: .*/;
const rootOf = (people: string, lease: string): Record<string, string> => {
  const line = `root: { by: people, principals: [${people}], threshold: 2 }`;
  const tree = edited(edited(world.fleet.tree, "fleet.yaml", ROOT, line), "fleet.yaml", /lease: \w+/, `lease: ${lease}`);
  return { "fleet.yaml": tree["fleet.yaml"]! };
};
const grantUntil = (day: string): Record<string, string> => {
  const path = "grants/greeter.yaml";
  return { [path]: edited(world.fleet.tree, path, /expires: .*/, `expires: ${day}`)[path]! };
};

test("the root role rolls over to other people while a machine sleeps through three trust releases and two of access", async () => {
  world.machine("mini-03").isReachable = false;
  const all = ["a@acme.dev", "b@acme.dev", "recovery@acme.dev", "security@acme.dev", "ops@acme.dev"] as const;
  const { fleet } = world;
  // From a, b and recovery, any two of whom are root, in three steps to security and ops: each signed by the root before and by its own.
  await fleet.commit(rootOf("b@acme.dev, recovery@acme.dev", "47h"));
  await fleet.release(["a@acme.dev", "b@acme.dev", "recovery@acme.dev", "security@acme.dev"]);
  await fleet.commit(grantUntil("2029-01-01"));
  await fleet.release(["a@acme.dev", "security@acme.dev"]);
  await fleet.commit(rootOf("recovery@acme.dev, security@acme.dev", "46h"));
  await fleet.release(["a@acme.dev", "b@acme.dev", "recovery@acme.dev", "security@acme.dev"]);
  await fleet.commit(grantUntil("2029-02-02"));
  await fleet.release(["b@acme.dev", "security@acme.dev"]);
  const last = await fleet.commit(rootOf("security@acme.dev, ops@acme.dev", "45h"));
  await fleet.release([...all]);
  await world.until((view) => view.name === "mini-03" || (view.inSync && view.lastAppliedRevision === last));
  assert.equal(world.hub?.source().target?.head.release.doc.serial, 6);
  world.machine("mini-03").isReachable = true;
  await world.until((view) => view.inSync && view.lastAppliedRevision === last);

  // The people of before decide nothing any more, not even together.
  const other = await fleet.commit(rootOf("a@acme.dev, b@acme.dev", "44h"));
  await fleet.release(["a@acme.dev", "b@acme.dev", "recovery@acme.dev"]);
  world.hub?.reconcile([]);
  const cover = await head(other);
  assert.equal(world.hub?.source().target?.revision, last);
  assert.equal(cover?.at, "awaiting");
  assert.deepEqual(cover?.at === "awaiting" ? cover.missing.map(({ role, principals }) => `${role} ${principals.join()}`) : null, [
    "root ops@acme.dev,security@acme.dev",
  ]);
  await fleet.commit(rootOf("security@acme.dev, ops@acme.dev", "45h"));
});

test("a hub that has lost all it kept walks from the first trust root to today's; from another one it goes nowhere and says so", async () => {
  const empty = await world.fleet.loop("fresh", firstRoot);
  assert.equal((await empty.look(AbortSignal.timeout(10_000))).view.target?.head.release.doc.serial, 6);
  const wrong = asDigest(`sha256:${"0".repeat(64)}`, "pin");
  const loop = await world.fleet.loop("wrong", wrong);
  await assert.rejects(loop.look(AbortSignal.timeout(10_000)), {
    code: "TRUST_ROOT_UNPROVEN",
    message: /^trust root sha256:0{64}: nothing of commit [0-9a-f]{12} by .* follows from it$/,
    why: /which you were not told to believe$/,
  });
  assert.equal(loop.view().target, null);
});

async function head(revision: string) {
  for (;;) {
    const found = world.hub?.source().head;
    if (found?.revision === revision && found.cover !== null && found.cover.head !== null) return found.cover;
    await sleep(10);
  }
}
