import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sleep } from "#base/time/index.ts";
import { payloadTypeOf, RELEASE_NAMESPACE } from "#proof/release/index.ts";
import type { Hub } from "#reconciler/hub/index.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { type Claims, TestSigstore, WORKFLOW as identity } from "#test/proof/sigstore.ts";
import { World } from "./world.ts";

// One fleet whose releases a workflow signs: hub, vault and real agents each verify its sigstore bundle themselves.
const sigstore = new TestSigstore(new Date(Date.now() - 86_400_000));
const rootText = new TextDecoder().decode(sigstore.trustedRoot());
let world: World;
let hub: Hub;

before(async () => {
  world = await World.make();
  hub = await world.startHub();
  await world.until((view) => view.inSync);
});
after(() => world.close());

/** Composes main's release, signed by these people, and adds what a workflow signs over it. */
async function release(people: Parameters<World["fleet"]["release"]>[0], claims: Partial<Claims> = {}): Promise<void> {
  const before = hub.source().branch.releases.length;
  await world.fleet.release(people);
  while (hub.source().branch.releases.length === before) await sleep(10);
  await sign(claims);
}

async function sign(claims: Partial<Claims>): Promise<void> {
  const newest = hub.source().branch.releases[0]?.release;
  assert.ok(newest !== undefined);
  const bundle = sigstore.sign(newest.bytes, payloadTypeOf(RELEASE_NAMESPACE), {
    claims: { ...identity, trigger: "push", ...claims },
    at: new Date(),
  });
  const folder = `${newest.doc.serial}-${newest.digest.slice(7, 15)}`;
  const name = `ci-${Object.keys(claims).join("-")}.sigstore.json`;
  await world.fleet.push({ [`${folder}/${name}`]: bundle, [`${folder}/trusted_root.json`]: rootText });
}

async function runs(revision: string): Promise<void> {
  while (hub.source().target?.revision !== revision) await sleep(10);
  await world.until((view) => view.inSync && view.lastAppliedRevision === revision);
}

test("root gives the release role to a workflow, which signs that release too", async () => {
  const fields = Object.entries(identity).map(([name, value]) => `${name}: "${value}"`);
  const role = `release: { by: ci, identity: { ${fields.join(", ")} } }`;
  world.fleet.tree = edited(world.fleet.tree, "fleet.yaml", "release: { principals: [a@acme.dev, b@acme.dev] }", role);
  const revision = await world.fleet.commit({ "trust/trusted_root.json": rootText });
  await release(["a@acme.dev", "b@acme.dev"]);
  await runs(revision);
});

test("a plugin bump that the workflow signed rolls out without a person, secret and all", async () => {
  await world.bump("2.0.0", 2);
  const revision = await world.fleet.commit();
  await release([]);
  await runs(revision);
});

test("another repository under the same name, and a pull request, release nothing", async () => {
  const good = hub.source().target?.revision;
  await world.bump("3.0.0", 3);
  const revision = await world.fleet.commit();
  await release([], { repositoryId: "1002" });
  await sign({ ref: "refs/pull/7/merge", trigger: "pull_request" });
  await sign({ trigger: "pull_request_target" });
  while ((hub.source().branch.releases[0]?.release.sigs.length ?? 0) < 4) await sleep(10);
  const { head, target } = hub.source();
  assert.equal(head?.revision, revision);
  assert.deepEqual(head?.cover?.at === "awaiting" ? head.cover.missing.map(({ role }) => role) : null, ["release"]);
  assert.equal(target?.revision, good);
  await sign({});
  await runs(revision);
});
