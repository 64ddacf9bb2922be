import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { sleep } from "#base/time/index.ts";
import type { Hello } from "#schemas/wire/index.ts";
import { askSocket } from "#test/lobster/support.ts";
import { join } from "node:path";
import { git } from "#test/support/repo.ts";
import { MACHINES, SECRET, World } from "./world.ts";

// One fleet goes through its life; each test goes on where the one before ended.
let world: World;
before(async () => {
  world = await World.make();
});
after(() => world.close());

const ready = (view: { readonly conditions: readonly { readonly type: string; readonly status: string }[] }): boolean =>
  view.conditions.some(({ type, status }) => type === "Ready" && status === "True");
const hello = async (name: string): Promise<Hello> =>
  (await askSocket(join(world.machine(name).layout.run, "agent.sock"), "/v1/hello", {})).json;
const generations = async (): Promise<readonly number[]> => Promise.all(MACHINES.map(async (name) => (await hello(name)).generation));
const seen = async (name: string, text: string, after = 0): Promise<void> => {
  while (
    !world
      .lines(name)
      .slice(after)
      .some((line) => line.includes(text))
  )
    await sleep(10);
};

test("a released fleet converges and its plugin uses its secret", async () => {
  await world.startHub();
  await world.until((view) => view.inSync && ready(view));
  for (const name of MACHINES) await world.follow(name);
  for (const name of MACHINES) await seen(name, "greeting ok");
});

test("a README typo changes no machine", async () => {
  const before = await generations();
  const typo = await world.fleet.commit({ "README.md": "typo\n" });
  await world.until((view) => view.lastAppliedRevision === typo);
  assert.deepEqual(await generations(), before);
});

test("a bump waits for its release and then rolls out, with its secret bound before it starts", async () => {
  const before = await generations();
  await world.bump("1.1.0", 2);
  const bumped = await world.fleet.commit();
  while (world.hub?.source().head?.revision !== bumped) await sleep(10);
  assert.equal(world.hub?.source().head?.cover?.at, "awaiting");
  assert.deepEqual(await generations(), before);
  await world.fleet.release(["b@acme.dev"]);
  await world.until((view) => view.lastAppliedRevision === bumped && view.inSync && view.agent?.plugins[0]?.version === "1.1.0");
  assert.deepEqual(
    await generations(),
    before.map((n) => n + 1),
  );
  for (const name of MACHINES) {
    await seen(name, "greeter 1.1.0 started");
    await seen(
      name,
      "greeting ok",
      world.lines(name).findIndex((line) => line.includes("greeter 1.1.0 started")),
    );
  }
});

test("a restarted hub does nothing twice", async () => {
  const before = await Promise.all(MACHINES.map(hello));
  await world.stopHub();
  await world.startHub();
  await world.until((view) => view.inSync && ready(view));
  const after = await Promise.all(MACHINES.map(hello));
  for (const [i, now] of after.entries()) {
    assert.equal(now.generation, before[i]?.generation);
    assert.equal(now.epoch, (before[i]?.epoch ?? 0) + 1);
    const kinds = await eventsAfter(MACHINES[i] ?? "", before[i]?.stream.last ?? 0);
    assert.deepEqual(kinds, ["epoch.raised"]);
  }
});

async function eventsAfter(name: string, seq: number): Promise<readonly string[]> {
  const { last } = (await hello(name)).stream;
  const text = await readFile(join(world.fleet.folder, "hub", "events", `${name}.ndjson`), "utf8");
  const events = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly seq: number; readonly kind: string });
  assert.ok(events.at(-1)?.seq === last);
  return events.filter((event) => event.seq > seq).map(({ kind }) => kind);
}

test("a machine that is out of reach delays no other, and catches up", async () => {
  const cut = world.machine("mini-02");
  cut.isReachable = false;
  await world.stopHub();
  await world.startHub();
  const plugin = world.fleet.tree["plugins/greeter.yaml"] ?? "";
  const changed = await world.fleet.commit({ "plugins/greeter.yaml": `${plugin}  config: { greeting: hi }\n` });
  await world.fleet.release(["a@acme.dev"]);
  await world.until((view) => view.lastAppliedRevision === changed && view.inSync, ["mini-01", "mini-03"]);
  assert.equal(world.hub?.machines().find(({ name }) => name === "mini-02")?.view?.reachable, false);
  cut.isReachable = true;
  await world.stopHub();
  await world.startHub();
  await world.until((view) => view.lastAppliedRevision === changed && view.inSync);
});

test("a second hub takes over under a higher epoch, and the first one is fenced off", async () => {
  const first = world.hub;
  assert.ok(first);
  await world.startHub({ loop: "hub2" });
  await world.until((view) => view.inSync);
  while (!first.machines().every(({ view }) => view?.error?.code === "EPOCH_STALE")) await sleep(10);
  assert.ok(first.machines().every(({ view }) => view?.conditions.some(({ type, status }) => type === "Stalled" && status === "True")));
  await first.stop();
});

test("a revocation by one person reaches vault and machines, and the running plugin's next request is refused", async () => {
  const marks = new Map(MACHINES.map((name) => [name, world.lines(name).length]));
  const outcome = await world.hub?.state(world.revoke(SECRET));
  assert.deepEqual(
    outcome?.machines.map((machine) => machine.outcome),
    ["accepted", "accepted", "accepted"],
  );
  assert.equal(outcome?.vault, "accepted");
  for (const name of MACHINES) await seen(name, "greeting refused: SECRET_REVOKED", marks.get(name));
});

test("statements nobody may make are refused", async () => {
  const forged = world.revoke("secret://team/other");
  await assert.rejects(async () => world.hub?.state({ ...forged, sigs: [] }), { code: "STATEMENT_UNPROVEN" });
});

test("an address that leads to another machine is refused before anything is sent", async () => {
  const [one, two] = [world.machine("mini-01"), world.machine("mini-02")];
  await world.stopHub();
  const own = one.layout;
  one.layout = two.layout;
  await world.startHub();
  while (world.hub?.machines().find(({ name }) => name === "mini-01")?.view?.error?.code !== "MACHINE_NOT_OURS") await sleep(10);
  one.layout = own;
});

test("a repo that lost its newer releases moves no machine back, also where the hub asks nobody what is in force", async () => {
  await world.stopHub();
  const before = await generations();
  const { gitdir } = world.fleet;
  const first = async (branch: string): Promise<string> => (await git(gitdir, "rev-list", "--reverse", branch)).split("\n")[0] ?? "";
  for (const branch of ["main", "mooring/releases"]) await git(gitdir, "update-ref", `refs/heads/${branch}`, await first(branch));
  await world.startHub({ loop: "fresh", asksMachines: false });
  await world.until((view) => view.error?.code === "REPO_ROLLED_BACK");
  assert.deepEqual(await generations(), before);
});
