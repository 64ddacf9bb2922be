import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sleep } from "#base/time/index.ts";
import { git } from "#test/support/repo.ts";
import { MACHINES, World } from "./world.ts";

// A hub whose last-verified.json is gone, on a fleet that stands on release 2.
let world: World;
let first = "";
let second = "";
let releasesBefore = "";
before(async () => {
  world = await World.make();
  await world.startHub();
  first = await git(world.fleet.gitdir, "rev-parse", "main");
  await world.until((view) => view.inSync);
  releasesBefore = await git(world.fleet.gitdir, "rev-parse", "mooring/releases");
  await world.bump("1.1.0", 2);
  second = await world.fleet.commit();
  await world.fleet.release(["b@acme.dev"]);
  await world.until((view) => view.inSync && view.lastAppliedRevision === second);
  await world.stopHub();
});
after(() => world.close());

const forget = (): Promise<void> => rm(join(world.fleet.folder, "hub", "last-verified.json"));
const errorOf = async (): Promise<{ readonly code: string; readonly message: string; readonly why?: string | undefined }> => {
  for (;;) {
    const { error } = world.hub?.source() ?? { error: null };
    if (error !== null) return error;
    await sleep(10);
  }
};

test("a hub that lost its state goes on from what the machines attest", async () => {
  await forget();
  const hub = await world.startHub();
  await world.until((view) => view.inSync && view.lastAppliedRevision === second);
  assert.equal(hub.source().target?.head.release.doc.serial, 2);
  assert.ok(world.logged.some((line) => line.includes("asked what is in force") && line.includes('"release":2')));
  await world.stopHub();
});

test("a hub that lost its state takes no repo that was rolled back, by releases or by commits, and says who knows more", async () => {
  const releases = await git(world.fleet.gitdir, "rev-parse", "mooring/releases");
  for (const [ref, to] of [
    ["refs/heads/mooring/releases", releasesBefore],
    ["refs/heads/main", first],
  ] as const) {
    await git(world.fleet.gitdir, "update-ref", ref, to);
    await forget();
    const hub = await world.startHub();
    const error = await errorOf();
    assert.equal(error.code, "REPO_ROLLED_BACK");
    assert.match(error.message, /(machine mini-0\d|the vault) stands on release 2/);
    assert.equal(hub.source().target, null);
    await world.stopHub();
    await git(world.fleet.gitdir, "update-ref", "refs/heads/mooring/releases", releases);
    await git(world.fleet.gitdir, "update-ref", "refs/heads/main", second);
    await world.startHub();
    await world.until((view) => view.inSync && view.lastAppliedRevision === second);
    await world.stopHub();
  }
});

test("while no machine answers a hub without state waits, and a machine that comes back ends the wait", async () => {
  await forget();
  for (const name of MACHINES) world.machine(name).isReachable = false;
  const hub = await world.startHub();
  const error = await errorOf();
  assert.equal(error.code, "MACHINES_SILENT");
  assert.match(error.why ?? "", /mini-01 \(DEADLINE_PASSED\)/);
  assert.equal(hub.source().target, null);
  for (const name of MACHINES) world.machine(name).isReachable = true;
  await world.until((view) => view.inSync && view.lastAppliedRevision === second);
});
