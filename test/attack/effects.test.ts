import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { accessEffects, planFleet } from "#plan/index.ts";
import { demandFleet, filesOf, loadFleet, type Resolved, resolve } from "#reconciler/desired/index.ts";
import { edited, type Tree } from "#test/support/fleet-tree.ts";
import { commitTo, git } from "#test/support/repo.ts";
import { type Person, RepoFleet } from "../hub/repo-fleet.ts";

// A reviewer who only looks at grants/ sees none of these. People sign effects: each change waits for the role whose effect it has, and says it in words.
const ALL: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];
const signal = new AbortController().signal;
type Loop = Awaited<ReturnType<RepoFleet["loop"]>>;

/** A fleet under release 1 in which mini-03 is a spare: no plugin, no grant. */
async function withFleet(run: (fleet: RepoFleet, loop: Loop) => Promise<void>): Promise<void> {
  const fleet = await RepoFleet.make();
  try {
    fleet.tree = edited(fleet.tree, "machines/mini-03.yaml", "role: greeter", "role: spare");
    await fleet.commit();
    await fleet.release(ALL);
    const loop = await fleet.loop();
    await loop.look(signal);
    await run(fleet, loop);
  } finally {
    await fleet.close();
  }
}

const resolved = async (tree: Tree): Promise<Resolved> => resolve(demandFleet(await loadFleet(filesOf(tree))));

/** The plan's sentences about access, as a pull request shows them. */
async function accessWords(before: Tree, after: Tree): Promise<string> {
  const [base, head] = [await resolved(before), await resolved(after)];
  const effects = accessEffects(base, head, planFleet(base, head).steps);
  return effects.map(({ who, verb, what, how, machines }) => `${who} on ${machines.join(", ")} ${verb} ${what} (${how})`).join("\n");
}

async function missingRoles(loop: Loop): Promise<readonly string[]> {
  const { view } = await loop.look(signal);
  const cover = view.head?.cover;
  assert.equal(cover?.at, "awaiting");
  return cover.at === "awaiting" ? cover.missing.map(({ role }) => role) : [];
}

/** Commits `tree`; `release` alone does not bring it into force, `release` and `people` do. Gives the plan's words about access. */
async function waitsFor(fleet: RepoFleet, loop: Loop, tree: Tree, roles: readonly string[], people: readonly Person[]): Promise<string> {
  const before = fleet.tree;
  const inForce = loop.view().target?.revision;
  const revision = await fleet.commit(tree);
  assert.deepEqual(await missingRoles(loop), roles);
  await fleet.release(["a@acme.dev"]); // release and secrets, not access
  assert.deepEqual(
    await missingRoles(loop),
    roles.filter((role) => role === "access"),
  );
  assert.equal(loop.view().target?.revision, inForce);
  const words = await accessWords(before, tree);
  await fleet.release(["b@acme.dev", ...people]);
  assert.equal((await loop.look(signal)).view.target?.revision, revision);
  return words;
}

test("a label: a spare machine that becomes one of a grant's waits for access", () =>
  withFleet(async (fleet, loop) => {
    const tree = edited(fleet.tree, "machines/mini-03.yaml", "role: spare", "role: greeter");
    const words = await waitsFor(fleet, loop, tree, ["release", "access", "secrets"], ["security@acme.dev"]);
    assert.match(words, /^plugin greeter on mini-03 gains secret:\/\/team\/greeting \(by fd/m);
  }));

test("a machine's key: whoever swaps kx gets every secret of that machine, so access signs it", () =>
  withFleet(async (fleet, loop) => {
    const spare = /kx: (\S+)/.exec(fleet.tree["machines/mini-03.yaml"] ?? "")?.[1] ?? "";
    const other = /kx: (\S+)/.exec(fleet.tree["machines/mini-02.yaml"] ?? "")?.[1] ?? "";
    const swapped = edited(fleet.tree, "machines/mini-02.yaml", other, spare);
    const tree = edited(swapped, "machines/mini-03.yaml", spare, other);
    const words = await waitsFor(fleet, loop, tree, ["release", "access"], ["security@acme.dev"]);
    assert.match(words, /^plugin greeter on mini-02 changes secret:\/\/team\/greeting \(opened by another machine key/m);
  }));

test("a grant in another kind's folder is no grant: the commit is refused with its place, and the fleet stays where it is", () =>
  withFleet(async (fleet, loop) => {
    const inForce = loop.view().target?.revision;
    const grant = (fleet.tree["grants/greeter.yaml"] ?? "").replace("name: greeter", "name: more").replace("role: greeter", "role: spare");
    await fleet.commit({ "plugins/more.yaml": grant });
    await loop.look(signal);
    const outcome = loop.view().head?.outcome;
    assert.equal(outcome?.at, "refused");
    assert.ok(
      outcome.at === "refused" && outcome.findings.some(({ file, message }) => file === "plugins/more.yaml" && /grants\//.test(message)),
    );
    assert.equal(loop.view().target?.revision, inForce);
  }));

test("a grant hidden among files that are not looked at grants nothing", () =>
  withFleet(async (fleet, loop) => {
    const grant = (fleet.tree["grants/greeter.yaml"] ?? "").replace("name: greeter", "name: more").replace("role: greeter", "role: spare");
    const revision = await fleet.commit({ ".github/more.yaml": grant });
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, revision);
    assert.equal(view.target?.head.release.doc.serial, 1);
  }));

test("a plugin's signer: code by somebody new under an old grant waits for release, and the plan says who", () =>
  withFleet(async (fleet, loop) => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const inForce = loop.view().target?.revision;
    const tree = { ...fleet.tree, "trust/keys/release.pub": publicKey.export({ type: "spki", format: "pem" }).toString() };
    const before = fleet.tree;
    const revision = await fleet.commit(tree);
    assert.deepEqual(await missingRoles(loop), ["release"]);
    assert.equal(loop.view().target?.revision, inForce);
    assert.match(
      await accessWords(before, tree),
      /^plugin greeter on mini-01, mini-02 changes who may sign it \(key .+ → key .+; it may use secret:\/\/team\/greeting\)$/m,
    );
    await fleet.release(["b@acme.dev"]);
    assert.equal((await loop.look(signal)).view.target?.revision, revision);
  }));

test("merge -s ours: a merge that brings back what main had taken away waits for access again", () =>
  withFleet(async (fleet, loop) => {
    const { gitdir } = fleet;
    const wide = await git(gitdir, "rev-parse", "main");
    const before = fleet.tree;
    const narrowed = await fleet.commit({ "grants/greeter.yaml": null });
    await fleet.release(["b@acme.dev", "security@acme.dev"]);
    assert.equal((await loop.look(signal)).view.target?.revision, narrowed);
    // what `git merge -s ours main` makes on a branch from before, pushed to main as a fast-forward
    const merge = await git(gitdir, "commit-tree", `${wide}^{tree}`, "-p", wide, "-p", narrowed, "-m", "Merge main");
    await git(gitdir, "update-ref", "refs/heads/main", merge);
    fleet.tree = before;
    assert.deepEqual(await missingRoles(loop), ["release", "access", "secrets"]);
    await fleet.release(["a@acme.dev"]);
    assert.deepEqual(await missingRoles(loop), ["access"]);
    assert.equal(loop.view().target?.revision, narrowed);
  }));

test("the forge's three merge buttons: one signature counts for merge commit, squash and rebase alike, and for nothing slipped in with them", () =>
  withFleet(async (fleet) => {
    const { gitdir } = fleet;
    const base = await git(gitdir, "rev-parse", "main");
    const change = edited(fleet.tree, "grants/greeter.yaml", "2028-01-01", "2029-01-01");
    const pull = await commitTo(gitdir, { files: change, branch: "pull", parents: [base], message: "longer" });
    const before = fleet.tree;
    fleet.tree = change;
    await fleet.release(["b@acme.dev", "security@acme.dev"]);
    const tree = `${pull}^{tree}`;
    const buttons = {
      merge: await git(gitdir, "commit-tree", tree, "-p", base, "-p", pull, "-m", "Merge pull request #1"),
      squash: await git(gitdir, "commit-tree", tree, "-p", base, "-m", "longer (#1)"),
      rebase: await git(gitdir, "commit-tree", tree, "-p", base, "-m", "longer"),
    };
    const pin = (await fleet.resolved()).trustLeaf;
    for (const [button, oid] of Object.entries(buttons)) {
      await git(gitdir, "update-ref", "refs/heads/main", oid);
      const loop = await fleet.loop(button, pin);
      assert.equal((await loop.look(signal)).view.target?.revision, oid, button);
      const slipped = edited(change, "machines/mini-03.yaml", "role: spare", "role: greeter");
      await commitTo(gitdir, { files: slipped, branch: "main", message: button });
      assert.deepEqual(await missingRoles(loop), ["release", "access", "secrets"], button);
      assert.equal(loop.view().target?.revision, oid, button);
    }
    fleet.tree = before;
  }));

test("an unmerged branch: signed by all it needs, and nothing runs before main has it", () =>
  withFleet(async (fleet, loop) => {
    const { gitdir } = fleet;
    const base = await git(gitdir, "rev-parse", "main");
    fleet.tree = edited(fleet.tree, "grants/greeter.yaml", "2028-01-01", "2029-01-01");
    const pull = await commitTo(gitdir, { files: fleet.tree, branch: "pull", parents: [base], message: "longer" });
    await fleet.release(["b@acme.dev", "security@acme.dev"]);
    assert.equal((await loop.look(signal)).view.target?.revision, base);
    assert.equal(loop.view().target?.head.release.doc.serial, 1);
    await git(gitdir, "update-ref", "refs/heads/main", pull);
    assert.equal((await loop.look(signal)).view.target?.revision, pull);
    assert.equal(loop.view().target?.head.release.doc.serial, 2);
  }));
