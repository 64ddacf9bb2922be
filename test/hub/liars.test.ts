import assert from "node:assert/strict";
import { test } from "node:test";
import { canonBytes } from "#base/canonical/index.ts";
import type { Floor } from "#reconciler/recovery/index.ts";
import { releaseFolder } from "#reconciler/source/index.ts";
import { commitTo, git } from "#test/support/repo.ts";
import { type Person, RepoFleet } from "./repo-fleet.ts";

const ALL: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];
const signal = new AbortController().signal;

/** A fleet on release 1, and release 2 signed for a change that nobody has merged. */
async function fleetAhead(): Promise<{ fleet: RepoFleet; first: string }> {
  const fleet = await RepoFleet.make();
  const first = await fleet.commit();
  await fleet.release(ALL);
  await fleet.commit({ "grants/greeter.yaml": null });
  await fleet.release(ALL);
  await git(fleet.gitdir, "update-ref", "refs/heads/main", first);
  return { fleet, first };
}

/** Somebody pushes a document under a serial that nobody has signed. */
async function pushJunk(fleet: RepoFleet, serial: number): Promise<void> {
  const tip = await git(fleet.gitdir, "rev-parse", "mooring/releases");
  const folder = (await git(fleet.gitdir, "ls-tree", "--name-only", tip)).split("\n").find((name) => name.startsWith("1-"));
  const doc = JSON.parse(await git(fleet.gitdir, "show", `${tip}:${folder}/release.json`)) as object;
  const bytes = canonBytes({ ...doc, serial });
  const files = { [`${releaseFolder("release", serial, bytes)}/release.json`]: Buffer.from(bytes).toString() };
  await commitTo(fleet.gitdir, { branch: "mooring/releases", parents: [tip], files });
}

test("a machine that claims more than people signed is named, also where somebody pushes what it claims", async (t) => {
  const { fleet, first } = await fleetAhead();
  t.after(() => fleet.close());
  await pushJunk(fleet, 900);
  const honest: Floor = { serial: 1, revision: first, by: "machine mini-01", secretsSerial: 1, secretsBy: "machine mini-01" };
  const lies: readonly (readonly [Partial<Floor>, RegExp])[] = [
    [{ serial: 900, by: "machine mini-02" }, /machine mini-02 stands on release 900/],
    [{ secretsSerial: 900, secretsBy: "machine mini-02" }, /machine mini-02 stands on secrets release 900/],
    [{ serial: 2, by: "machine mini-02" }, /machine mini-02 stands on release 2/],
  ];
  for (const [lie, message] of lies) {
    const loop = await fleet.loop(`hub-${String(message)}`.replaceAll(/\W/g, "-"), undefined, async () => ({ ...honest, ...lie }));
    await assert.rejects(loop.look(signal), { code: "REPO_ROLLED_BACK", message });
  }
  const loop = await fleet.loop("honest", undefined, async () => honest);
  assert.equal((await loop.look(signal)).view.target?.revision, first);
});
