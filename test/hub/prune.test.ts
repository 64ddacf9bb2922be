/** Omission never deletes silently: the hub holds back a released commit that takes much away, until somebody named for it says it was meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timeOf } from "#base/time/index.ts";
import { composeStatement } from "#proof/release/index.ts";
import { statementFolder } from "#reconciler/source/index.ts";
import type { FleetId } from "#schemas/wire/index.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { wideTree } from "#test/support/wide-tree.ts";
import { type Person, RepoFleet } from "./repo-fleet.ts";

const ALL: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];
const signal = new AbortController().signal;
const MINUTE = 60_000;

async function withWideFleet(run: (fleet: RepoFleet) => Promise<void>): Promise<void> {
  const fleet = await RepoFleet.make();
  try {
    fleet.tree = { ...wideTree(10), "trust/allowed_signers": fleet.tree["trust/allowed_signers"]! };
    await fleet.commit();
    await fleet.release(ALL);
    await run(fleet);
  } finally {
    await fleet.close();
  }
}

const gone = (fleet: RepoFleet, pattern: RegExp): Record<string, null> =>
  Object.fromEntries(Object.keys(fleet.tree).flatMap((path) => (pattern.test(path) ? [[path, null] as const] : [])));

/** A `prune` statement by `person` on the releases branch, good for an hour. */
async function confirm(fleet: RepoFleet, person: Person): Promise<void> {
  const [issued, expires] = [timeOf(fleet.now), timeOf(fleet.now + 60 * MINUTE)];
  const bytes = composeStatement({
    t: "mooring/action/v1",
    fleet: "acme" as FleetId,
    action: "prune",
    target: null,
    machines: "all",
    reason: "the site closes",
    issued,
    expires,
  });
  const folder = statementFolder(bytes);
  const armored = fleet.signers.get(person)!.sign(bytes, "mooring-action");
  await fleet.push({ [`${folder}/action.json`]: bytes, [`${folder}/${person}.sig`]: armored });
}

test("a released commit that takes more away than allowed is refused, what ran goes on, and a confirmation lets it pass", () =>
  withWideFleet(async (fleet) => {
    const loop = await fleet.loop();
    const before = (await loop.look(signal)).view.target?.revision;
    const smaller = await fleet.commit(gone(fleet, /^machines\/m-0[0-4]/));
    await fleet.release(ALL);
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, before);
    const outcome = view.head?.outcome;
    assert.deepEqual(
      outcome?.at === "refused" ? outcome.findings.map(({ code, file, level }) => `${level} ${code} ${file}`) : outcome?.at,
      ["error PRUNE_UNCONFIRMED machines/m-00.yaml"],
    );
    await confirm(fleet, "a@acme.dev"); // may release, is not named for prune
    assert.equal((await loop.look(signal)).view.target?.revision, before);
    await confirm(fleet, "ops@acme.dev");
    assert.equal((await loop.look(signal)).view.target?.revision, smaller);
  }));

test("a confirmation that has run out confirms nothing", () =>
  withWideFleet(async (fleet) => {
    const loop = await fleet.loop();
    const before = (await loop.look(signal)).view.target?.revision;
    await confirm(fleet, "ops@acme.dev");
    fleet.now += 61 * MINUTE;
    await fleet.commit(gone(fleet, /^machines\/m-0[0-4]/));
    await fleet.release(ALL);
    assert.equal((await loop.look(signal)).view.target?.revision, before);
  }));

test("spec.prune lifts the guard for later commits, not for its own", () =>
  withWideFleet(async (fleet) => {
    const loop = await fleet.loop();
    const before = (await loop.look(signal)).view.target?.revision;
    const raised = edited(fleet.tree, "fleet.yaml", "  interval: 10m", "  interval: 10m\n  prune: { maxDeletePercent: 60 }")["fleet.yaml"]!;
    await fleet.commit({ "fleet.yaml": raised, ...gone(fleet, /^machines\/m-0[0-4]/) });
    await fleet.release(ALL);
    assert.equal((await loop.look(signal)).view.target?.revision, before);

    const own = await RepoFleet.make();
    try {
      own.tree = { ...wideTree(10), "trust/allowed_signers": own.tree["trust/allowed_signers"]! };
      await own.commit();
      await own.release(ALL);
      const other = await own.loop();
      await other.look(signal);
      const settings = await own.commit({ "fleet.yaml": raised });
      assert.equal((await other.look(signal)).view.target?.revision, settings);
      const smaller = await own.commit(gone(own, /^machines\/m-0[0-4]/));
      await own.release(ALL);
      assert.equal((await other.look(signal)).view.target?.revision, smaller);
    } finally {
      await own.close();
    }
  }));

test("a repo without machines is never what was meant, not even confirmed", () =>
  withWideFleet(async (fleet) => {
    const loop = await fleet.loop();
    const before = (await loop.look(signal)).view.target?.revision;
    await fleet.commit(gone(fleet, /^machines\//));
    await fleet.release(ALL);
    await confirm(fleet, "ops@acme.dev");
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, before);
    assert.deepEqual(view.head?.outcome.at === "refused" ? view.head.outcome.findings.map(({ code }) => code) : null, ["FLEET_EMPTIED"]);
  }));
