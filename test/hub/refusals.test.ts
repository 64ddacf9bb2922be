import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "#base/time/index.ts";
import { type Person, RepoFleet } from "./repo-fleet.ts";
import { MACHINES, SECRET, World } from "./world.ts";

const PEOPLE: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];

test("a repo whose main nobody has pushed yet is REPO_EMPTY, never an empty fleet", async () => {
  const fleet = await RepoFleet.make();
  try {
    const loop = await fleet.loop();
    await assert.rejects(loop.look(new AbortController().signal), { code: "REPO_EMPTY" });
    assert.equal(loop.view().target, null);
  } finally {
    await fleet.close();
  }
});

test("a version that does not come up is undone on every machine, and the hub says so", async () => {
  const world = await World.make();
  try {
    for (const name of MACHINES) {
      await world.machine(name).agent?.stop();
      await world.startAgent(name, 3_000); // however slowly a loaded computer starts a process that is to end at once
    }
    await world.startHub();
    await world.until((view) => view.inSync);
    await world.bump("1.1.0", 2, "process.exit(1);\n");
    await world.fleet.commit();
    await world.fleet.release(PEOPLE);
    await world.until((view) => view.error?.code === "APPLY_UNDONE");
    world.hub?.reconcile([]); // the machine answers APPLY_HELD now; the cause stays
    await sleep(300);
    assert.ok(
      world.hub?.machines().every(({ view }) => view?.error?.code === "APPLY_UNDONE" && view.agent?.plugins[0]?.version === "1.0.0"),
    );
  } finally {
    await world.close();
  }
});

test("a machine whose grant the vault no longer seals says which and why", async () => {
  const world = await World.make();
  try {
    await world.startHub();
    await world.until((view) => view.inSync);
    await world.hub?.state(world.revoke(SECRET));
    await world.bump("1.1.0", 2);
    await world.fleet.commit();
    await world.fleet.release(PEOPLE);
    await world.until((view) => view.error?.code === "BINDING_REFUSED" && view.error.why === "SECRET_REVOKED");
  } finally {
    await world.close();
  }
});
