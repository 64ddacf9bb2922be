import assert from "node:assert/strict";
import { test } from "node:test";
import { commitTo } from "#test/support/repo.ts";
import { secondVersion } from "#test/support/fleet-tree.ts";
import { type Person, RepoFleet } from "./repo-fleet.ts";

const ALL: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];
const signal = new AbortController().signal;

async function withFleet(run: (fleet: RepoFleet) => Promise<void>): Promise<void> {
  const fleet = await RepoFleet.make();
  try {
    await run(fleet);
  } finally {
    await fleet.close();
  }
}

test("a commit nobody released waits for roles that are named, whether somebody has signed or not", () =>
  withFleet(async (fleet) => {
    const revision = await fleet.commit();
    const loop = await fleet.loop();
    const first = await loop.look(signal);
    assert.equal(first.view.target, null);
    const before = first.view.head?.cover;
    assert.deepEqual(before?.at === "awaiting" ? before.missing.map(({ role }) => role) : null, ["root", "release", "access", "secrets"]);
    await fleet.release(["a@acme.dev", "b@acme.dev"]);
    const cover = (await loop.look(signal)).view.head?.cover;
    assert.deepEqual(cover?.at === "awaiting" ? cover.missing.map(({ role }) => role) : null, ["access"]);
    assert.equal(loop.view().target, null);
    assert.equal(loop.view().head?.revision, revision);
  }));

test("a complete release makes its commit the target, once", () =>
  withFleet(async (fleet) => {
    const revision = await fleet.commit();
    await fleet.release(ALL);
    const loop = await fleet.loop();
    const first = await loop.look(signal);
    assert.equal(first.view.target?.revision, revision);
    assert.equal(first.isNew, true);
    assert.equal((await loop.look(signal)).isNew, false);
  }));

test("a typo in a README needs no release", () =>
  withFleet(async (fleet) => {
    await fleet.commit();
    await fleet.release(ALL);
    const loop = await fleet.loop();
    await loop.look(signal);
    const typo = await fleet.commit({ "README.md": "# Fleeet\n" });
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, typo);
    assert.equal(view.head?.cover?.at, "covered");
    assert.equal(view.target?.head.release.doc.serial, 1);
  }));

test("an unsigned change on main runs nothing and blocks nothing older", () =>
  withFleet(async (fleet) => {
    const released = await fleet.commit();
    await fleet.release(ALL);
    const grant = fleet.tree["grants/greeter.yaml"] ?? "";
    await fleet.commit({ "grants/greeter.yaml": null });
    const loop = await fleet.loop();
    assert.equal((await loop.look(signal)).view.target?.revision, released);
    assert.equal(loop.view().head?.cover?.at, "awaiting");
    const typo = await fleet.commit({ "grants/greeter.yaml": grant, "README.md": "back again\n" });
    assert.equal((await loop.look(signal)).view.target?.revision, typo);
  }));

test("a commit that does not read is refused with its place, and the last good revision stays in force", () =>
  withFleet(async (fleet) => {
    const good = await fleet.commit();
    await fleet.release(ALL);
    const loop = await fleet.loop();
    await loop.look(signal);
    await fleet.commit({ "plugins/greeter.yaml": (fleet.tree["plugins/greeter.yaml"] ?? "").replace("version:", "verison:") });
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, good);
    const outcome = view.head?.outcome;
    assert.equal(
      outcome?.at === "refused" ? outcome.findings.some(({ file, line }) => file === "plugins/greeter.yaml" && line === 6) : false,
      true,
    );
  }));

test("a hub that starts while main's newest commit does not read goes on with the last good one", () =>
  withFleet(async (fleet) => {
    const good = await fleet.commit();
    await fleet.release(ALL);
    const pin = (await fleet.resolved()).trustLeaf;
    await (await fleet.loop("hub", pin)).look(signal);
    await fleet.commit({ "fleet.yaml": "kind: Flet\n" });
    const { view } = await (await fleet.loop("hub", pin)).look(signal);
    assert.equal(view.target?.revision, good);
    assert.equal(view.head?.outcome.at, "refused");
  }));

test("a tree with a link, or with a file that is too large, is refused like any commit that does not read", () =>
  withFleet(async (fleet) => {
    const good = await fleet.commit();
    await fleet.release(ALL);
    const pin = (await fleet.resolved()).trustLeaf;
    await (await fleet.loop("hub", pin)).look(signal);
    const link = { mode: "120000", content: "/etc/passwd" } as const;
    for (const [files, path, code] of [
      [{ "machines/link.yaml": link }, "machines/link.yaml", "SOURCE_TREE_REFUSED"],
      [{ "machines/link.yaml": null, "machines/big.yaml": "x".repeat(2 << 20) }, "machines/big.yaml", "SOURCE_TOO_LARGE"],
    ] as const) {
      await commitTo(fleet.gitdir, { files });
      const { view } = await (await fleet.loop("hub", pin)).look(signal);
      assert.equal(view.target?.revision, good);
      const outcome = view.head?.outcome;
      assert.deepEqual(outcome?.at === "refused" ? outcome.findings.map((found) => [found.file, found.code]) : [], [[path, code]]);
    }
  }));

test("a rewritten main is refused, and the last verified revision is not left", () =>
  withFleet(async (fleet) => {
    const good = await fleet.commit();
    await fleet.release(ALL);
    const loop = await fleet.loop();
    await loop.look(signal);
    await commitTo(fleet.gitdir, { files: fleet.tree, branch: "main", parents: [], message: "rewritten" });
    await assert.rejects(loop.look(signal), { code: "SOURCE_NOT_FAST_FORWARD" });
    await assert.rejects(loop.look(signal), { code: "SOURCE_NOT_FAST_FORWARD" }, "once the next look, at which nothing had moved, passed");
    assert.equal(loop.view().target?.revision, good);
  }));

test("a restarted hub goes on from the file, also when main only has unreleased commits since", () =>
  withFleet(async (fleet) => {
    const good = await fleet.commit();
    await fleet.release(ALL);
    await (await fleet.loop()).look(signal);
    const pin = (await fleet.resolved()).trustLeaf;
    await fleet.commit({ "grants/greeter.yaml": null });
    const again = await fleet.loop("hub", pin);
    assert.equal((await again.look(signal)).view.target?.revision, good);
  }));

test("a tree that is back as it was under an older release waits for a new one", () =>
  withFleet(async (fleet) => {
    await fleet.commit();
    await fleet.release(ALL);
    const plugin = fleet.tree["plugins/greeter.yaml"] ?? "";
    const second = await fleet.commit({ "plugins/greeter.yaml": `${plugin}  config: { greeting: hi }\n` });
    await fleet.release(["a@acme.dev"]);
    const loop = await fleet.loop();
    assert.equal((await loop.look(signal)).view.target?.revision, second);
    await fleet.commit({ "plugins/greeter.yaml": plugin });
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, second);
    assert.equal(view.head?.cover?.at, "awaiting");
  }));

// Once the secrets release of before was taken again, and every machine, which holds a newer one, refused it.
test("secrets that are back as they were wait for a new secrets release", () =>
  withFleet(async (fleet) => {
    await fleet.commit();
    await fleet.release(ALL);
    const before = fleet.tree["secrets/team/greeting.yaml"] ?? "";
    const second = await fleet.commit(secondVersion());
    await fleet.release(ALL);
    const loop = await fleet.loop();
    assert.equal((await loop.look(signal)).view.target?.secrets?.doc.serial, 2);
    await fleet.commit({ "secrets/team/greeting.yaml": before });
    await fleet.release(["b@acme.dev"]);
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, second);
    assert.deepEqual(view.head?.cover?.at === "awaiting" ? view.head.cover.missing.map(({ role }) => role) : null, ["secrets"]);
  }));

test("a plugin change leaves the access entry as it is and needs the release role only", () =>
  withFleet(async (fleet) => {
    await fleet.commit();
    await fleet.release(ALL);
    const loop = await fleet.loop();
    const before = (await loop.look(signal)).view.target?.head.release.doc.classes.access;
    const plugin = fleet.tree["plugins/greeter.yaml"] ?? "";
    const bumped = await fleet.commit({ "plugins/greeter.yaml": `${plugin}  config: { greeting: hi }\n` });
    await fleet.release(["b@acme.dev"]);
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, bumped);
    assert.deepEqual(view.target?.head.release.doc.classes.access, before);
  }));

test("an expired release covers nothing new", () =>
  withFleet(async (fleet) => {
    await fleet.commit();
    await fleet.release(ALL, { expires: fleet.now + 1000 });
    fleet.now += 2000;
    const { view } = await (await fleet.loop()).look(signal);
    assert.equal(view.target, null);
    assert.equal(view.head?.cover?.at, "expired");
  }));
