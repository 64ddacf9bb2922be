/** Releases as people make them: real smart HTTP, real ssh-keygen, a cache folder for each person. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { canonBytes, digestOf } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import { parseRelease } from "#proof/release/index.ts";
import { releaseFolder } from "#reconciler/source/index.ts";
import { newPerson } from "#test/support/fleet-fixture.ts";
import { edited, secondVersion } from "#test/support/fleet-tree.ts";
import { commitTo, git, mergeTo } from "#test/support/repo.ts";
import { CliBench, latest, linesOf, selected } from "./bench.ts";

const PLUGIN = "plugins/greeter.yaml";
const GRANT = "grants/greeter.yaml";

test("the first release is complete once root, release, access and secrets have signed, whoever they are", async (t) => {
  const bench = await CliBench.make(t);
  const trustRoot = await bench.root();
  const first = await bench.release("b@acme.dev");
  assert.deepEqual(linesOf(first, "still to sign:"), [
    "root     1 of a@acme.dev, recovery@acme.dev; signed: b@acme.dev  (trust)",
    "access   1 of security@acme.dev",
    "secrets  1 of a@acme.dev, security@acme.dev",
  ]);
  await assert.rejects(bench.release("security@acme.dev"), { code: "TRUST_ROOT_NEEDED" }); // their machine has never heard of this fleet
  const second = await bench.release("security@acme.dev", { trustRoot });
  assert.match(second.text, /signed release 1 and secrets release 1 as security@acme\.dev/);
  assert.deepEqual((await bench.plan({ trustRoot })).code, 2);
  const third = await bench.release("recovery@acme.dev", { trustRoot });
  assert.match(third.text, /release 1 covers main: complete/);
  const plan = await bench.plan({ trustRoot });
  assert.deepEqual([plan.code, plan.text], [0, "0 changes: release 1 covers main, until 2027-02-23 (90 days)\n"]);
  assert.equal((await selected(bench)).serial, 1);
  assert.match((await bench.release("a@acme.dev", { trustRoot })).text, /^0 changes: release 1 covers main/);
});

test("a plugin bump leaves the access entry unchanged and needs only release", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  const before = await latest(bench);
  await bench.commit(bumped(bench, "2"));
  const ran = await bench.release("a@acme.dev");
  assert.match(ran.text, /to be signed by: release\n/);
  assert.match(ran.text, /release 2 covers main: complete/);
  const after = await latest(bench);
  assert.equal(after.serial, 2);
  assert.deepEqual([after.classes.access, after.classes.machines], [before.classes.access, before.classes.machines]);
  assert.equal(after.classes.plugins.since, 2);
  assert.equal(after.prev, digestOf(canonBytes(before)));
  const files = await git(bench.gitdir, "ls-tree", "-r", "--name-only", "mooring/releases");
  assert.equal(files.match(/trust\.json/g)?.length, 1); // the trust section did not change
});

test("a machine more, which no grant selects, needs only release", async (t) => {
  const bench = await CliBench.make(t, "local");
  const path = "machines/mini-03.yaml";
  const spare = edited(bench.tree, path, "role: greeter", "role: spare")[path]!;
  await bench.commit({ [path]: null });
  await bench.releaseAll();
  await bench.commit({ [path]: spare });
  const ran = await bench.release("b@acme.dev");
  assert.match(ran.text, /mini-03 \(new\)/);
  assert.match(ran.text, /release 2 covers main: complete/);
});

test("a new grant signed only by release names access, then is complete", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  await bench.commit(widened(bench));
  const ran = await bench.release("a@acme.dev");
  assert.deepEqual(linesOf(ran, "still to sign:"), ["access  1 of security@acme.dev"]);
  assert.equal((await selected(bench)).serial, 1);
  const again = await bench.release("a@acme.dev");
  assert.match(again.text, /a@acme\.dev has signed this already/);
  assert.match((await bench.release("security@acme.dev")).text, /release 2 covers main: complete/);
  assert.equal((await selected(bench)).serial, 2);
});

test("secrets that are back as they were are signed again: machines refuse the older secrets release", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  const before = bench.tree["secrets/team/greeting.yaml"]!;
  await bench.commit(secondVersion());
  const changed = await bench.plan();
  assert.match(changed.text, /version: 1 → 2/);
  assert.match((await bench.release("a@acme.dev")).text, /signed secrets release 2 as a@acme\.dev/);
  assert.equal((await bench.plan()).code, 0);
  await bench.commit({ "secrets/team/greeting.yaml": before });
  assert.match((await bench.plan()).text, /version: 2 → 1[^]* for main needs:\n {2}secrets {2}1 of a@acme\.dev, security@acme\.dev\n/);
  const last = await bench.release("security@acme.dev");
  assert.match(last.text, /secrets release 3 as security@acme\.dev/);
  assert.match(last.text, /release 1 covers main: complete/);
  await bench.commit({ "README.md": "# After\n" });
  assert.match((await bench.plan()).text, /^0 changes: release 1 covers main/);
});

test("a typo in the README needs no release", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  const oid = await bench.commit({ "README.md": "a typo less\n" });
  const plan = await bench.plan({ trustRoot });
  assert.deepEqual([plan.code, plan.text.split(",")[0]], [0, "0 changes: release 1 covers main"]);
  assert.deepEqual(await selected(bench), { revision: oid, serial: 1 });
});

test("an unsigned change on main runs nothing and blocks nothing older", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  await bench.commit(bumped(bench, "2"));
  const wanted = await bench.commit({ "README.md": "later\n" });
  await bench.release("a@acme.dev");
  await bench.commit(widened(bench));
  assert.deepEqual(await selected(bench), { revision: wanted, serial: 2 });
});

for (const how of ["squash", "merge"] as const)
  test(`an approval given before the merge survives a ${how} and what others merge first`, async (t) => {
    const bench = await CliBench.make(t);
    await bench.releaseAll();
    const theirs = await bench.branch("wider", widened(bench));
    await bench.branch("bump", bumped(bench, "2"));
    assert.match((await bench.approve("security@acme.dev", "wider")).text, /signed release 2 as security@acme\.dev/);
    assert.match((await bench.approve("a@acme.dev", "wider")).text, /release 2 covers the merge of wider: complete/);
    assert.equal((await selected(bench)).serial, 1); // not merged yet

    await bench.commit(bumped(bench, "2")); // somebody else's pull request comes first
    const other = await bench.release("b@acme.dev");
    assert.match(other.text, /release 3 covers main: complete/); // and does not need access
    assert.equal((await selected(bench)).serial, 3);

    if (how === "squash") await bench.commit(widened(bench));
    else await mergeTo(bench.gitdir, "main", await git(bench.gitdir, "rev-parse", "main"), theirs);
    const own = await bench.release("b@acme.dev");
    assert.match(own.text, /release 4 covers main: complete/); // access signed this entry on release 2
    assert.equal((await latest(bench)).classes.access.since, 2);
    assert.equal((await selected(bench)).serial, 4);
  });

test("an approved change runs as it is once it is merged, with no further signature", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  await bench.branch("bump", bumped(bench, "2"));
  await bench.approve("a@acme.dev", "bump");
  const oid = await bench.commit(bumped(bench, "2"), { message: "squashed (#7)" });
  assert.deepEqual(await selected(bench), { revision: oid, serial: 2 });
});

test("a branch that does not merge is not approved", async (t) => {
  const bench = await CliBench.make(t);
  const root = await bench.releaseAll();
  await bench.branch("left", bumped(bench, "2"));
  await bench.commit(bumped(bench, "3"));
  await assert.rejects(bench.approve("a@acme.dev", "left", { trustRoot: root }), (err: Error & { code: string }) => {
    assert.equal(err.code, "MERGE_CONFLICT");
    assert.match(err.message, /plugins\/greeter\.yaml/);
    return true;
  });
  await assert.rejects(bench.approve("a@acme.dev", "nowhere"), { code: "SOURCE_OBJECT_MISSING" });
  await assert.rejects(bench.approve("a@acme.dev", "0".repeat(40)), { code: "SOURCE_OBJECT_MISSING", fix: "name its branch instead" });
});

test("a key counts only for the principal that names it", async (t) => {
  const bench = await CliBench.make(t, "local");
  const key = bench.people.get("b@acme.dev")!.keyFile;
  await assert.rejects(bench.release("a@acme.dev", { key }), {
    code: "SIGNER_KEY_MISMATCH",
    why: "the trust section names it for b@acme.dev",
  });
  const stranger = newPerson(bench.folder, "stranger").keyFile;
  await assert.rejects(bench.release("a@acme.dev", { key: stranger }), { code: "SIGNER_KEY_MISMATCH" });
  await assert.rejects(bench.release("a@acme.dev", { as: "eve@acme.dev" }), { code: "SIGNER_UNKNOWN" });
  await assert.rejects(bench.release("ops@acme.dev"), { code: "SIGNER_UNKNOWN" }); // known, but in no role
  await assert.rejects(bench.release("a@acme.dev", { key: join(bench.folder, "nothing") }), { code: "SIGNER_KEY_UNREADABLE" });
  assert.equal(await git(bench.gitdir, "for-each-ref", "refs/heads/mooring"), "");
});

test("without a terminal nothing is signed unless --yes says so", async (t) => {
  const bench = await CliBench.make(t, "local");
  await assert.rejects(bench.release("a@acme.dev", { yes: false }), { code: "CONFIRMATION_NEEDED" });
});

test("a hostile releases branch neither stops a release nor burns serials nor slips anything in", async (t) => {
  const bench = await CliBench.make(t);
  const trustRoot = await bench.releaseAll();
  await bench.commit(bumped(bench, "2"));
  // What covers main exactly, but lifts a revocation, takes the last serial and never expires; garbage beside it.
  const mine = await dryRelease(bench);
  const evil = { ...mine, serial: Number.MAX_SAFE_INTEGER, expires: timeOf(Date.UTC(9998, 0)), lifts: [digestOf("a revocation")] };
  const sly = { ...mine, lifts: [digestOf("a revocation")] };
  const files: Record<string, string | Uint8Array> = { "2-00000000/release.json": "{}", "9-zz/release.json": "x", junk: "junk" };
  for (const doc of [evil, sly]) {
    const bytes = canonBytes(doc);
    files[`${releaseFolder("release", doc.serial, bytes)}/release.json`] = bytes;
    files[`${releaseFolder("release", doc.serial, bytes)}/a@acme.dev.sig`] = "-----BEGIN SSH SIGNATURE-----\n";
  }
  await commitTo(bench.gitdir, { branch: "mooring/releases", files });
  const ran = await bench.release("a@acme.dev", { trustRoot });
  assert.match(ran.text, /release 2 covers main: complete/);
  assert.deepEqual((await latest(bench, 2)).lifts, []);
  assert.equal((await selected(bench)).serial, 2);
});

test("a signature goes under another name where somebody has put junk under ours", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  await bench.commit(widened(bench));
  await bench.release("a@acme.dev");
  const folder = (await git(bench.gitdir, "ls-tree", "--name-only", "mooring/releases")).split("\n").find((name) => name.startsWith("2-"));
  await commitTo(bench.gitdir, { branch: "mooring/releases", files: { [`${folder}/security@acme.dev.sig`]: "junk" } });
  assert.match((await bench.release("security@acme.dev")).text, /release 2 covers main: complete/);
  assert.equal((await selected(bench)).serial, 2);
});

test("taking releases away is noticed, and so is a wrong trust root", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  const tip = await git(bench.gitdir, "rev-parse", "mooring/releases");
  await bench.commit(bumped(bench, "2"));
  await bench.release("a@acme.dev");
  await git(bench.gitdir, "update-ref", "refs/heads/mooring/releases", tip);
  await assert.rejects(bench.release("a@acme.dev"), { code: "REPO_ROLLED_BACK" });
  await assert.rejects(bench.plan({ trustRoot: digestOf("another fleet") }), { code: "TRUST_ROOT_UNPROVEN" });
  assert.equal((await bench.plan({ trustRoot })).code, 2); // this machine has not seen the one that is gone
});

test("--renew makes a new release of the same outcome before the old one runs out", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  bench.now += 80 * 86_400_000;
  assert.match((await bench.release("a@acme.dev", { renew: true })).text, /release 2 covers main: complete/);
  const doc = await latest(bench);
  assert.deepEqual([doc.serial, doc.classes.access.since, doc.classes.plugins.since], [2, 1, 1]);
});

test("a change of trust needs the root of before and of after, hides no other role, and brings its section along", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  const fleet = edited(bench.tree, "fleet.yaml", "a@acme.dev, b@acme.dev, recovery@acme.dev", "b@acme.dev, recovery@acme.dev");
  await bench.commit({ "fleet.yaml": fleet["fleet.yaml"]!, ...widened(bench) });
  const first = await bench.release("b@acme.dev", { trustRoot });
  assert.match(first.text, /who is trusted then \(sha256:\w+\):\n {2}root {5}people: 2 of b@acme\.dev, recovery@acme\.dev\n/);
  assert.deepEqual(linesOf(first, "still to sign:"), [
    "root    1 of a@acme.dev, recovery@acme.dev; signed: b@acme.dev  (trust as it is)",
    "root    1 of recovery@acme.dev; signed: b@acme.dev  (trust as it will be)",
    "access  1 of security@acme.dev",
  ]);
  await bench.release("recovery@acme.dev", { trustRoot });
  assert.match((await bench.release("security@acme.dev", { trustRoot })).text, /release 2 covers main: complete/);
  assert.equal((await selected(bench, trustRoot)).serial, 2);
  const files = await git(bench.gitdir, "ls-tree", "-r", "--name-only", "mooring/releases");
  assert.equal(files.match(/trust\.json/g)?.length, 2);
});

test("an encrypted key and an ssh-agent key show their public half; what is no key does not", async (t) => {
  const { publicHalf } = await import("#cli/sign/index.ts");
  const bench = await CliBench.make(t, "local");
  const person = bench.people.get("a@acme.dev")!;
  assert.equal(await publicHalf(person.keyFile), person.key);
  assert.equal(await publicHalf(`${person.keyFile}.pub`), person.key);
  await assert.rejects(publicHalf(join(bench.gitdir, "HEAD")), { code: "SIGNER_KEY_UNREADABLE" });
});

function bumped(bench: CliBench, minor: string): Record<string, string> {
  const version = `1.${minor}.0`;
  const digest = digestOf(version);
  const next = edited(
    edited(bench.tree, PLUGIN, "version: 1.0.0", `version: ${version}`),
    PLUGIN,
    /digest: sha256:\w+/,
    `digest: ${digest}`,
  );
  const lock = JSON.parse(bench.tree["plugins/greeter.lock.json"]!) as object;
  return { [PLUGIN]: next[PLUGIN]!, "plugins/greeter.lock.json": JSON.stringify({ ...lock, version, digest, serial: Number(minor) }) };
}

function widened(bench: CliBench): Record<string, string> {
  return { [GRANT]: edited(bench.tree, GRANT, "2028-01-01", "2029-01-01")[GRANT]! };
}

/** The release that would be made now, from a copy of the repo nobody looks at. */
async function dryRelease(bench: CliBench) {
  const copy = join(bench.folder, "dry.git");
  await git(bench.gitdir, "clone", "--quiet", "--bare", bench.gitdir, copy);
  await bench.release("b@acme.dev", { source: copy, trustRoot: await bench.root() });
  const folder = (await git(copy, "ls-tree", "--name-only", "mooring/releases")).split("\n").find((name) => name.startsWith("2-"));
  return parseRelease(Buffer.from(await git(copy, "show", `mooring/releases:${folder}/release.json`)), "acme");
}
