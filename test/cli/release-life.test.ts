/** Releases after their first day: renewed, taken back, freed of a signer, in another form, found by the number of a pull request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { canonBytes } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import { withdraw } from "#cli/release/index.ts";
import { RELEASE_NAMESPACE } from "#proof/release/index.ts";
import { releaseFolder } from "#reconciler/source/index.ts";
import { hardwareSigner } from "#test/proof/signer.ts";
import { newPerson } from "#test/support/fleet-fixture.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { commitTo, git } from "#test/support/repo.ts";
import { CliBench, latest, linesOf, type Ran, selected, START, type Who } from "./bench.ts";

const GRANT = "grants/greeter.yaml";
const DAY_MS = 86_400_000;

test("what covers main says so once three quarters of its lifetime are over; --renew makes release and secrets release anew", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  bench.now = START + 67 * DAY_MS;
  assert.doesNotMatch((await bench.plan()).text, /--renew/);
  bench.now = START + 68 * DAY_MS;
  assert.match(
    (await bench.plan()).text,
    /^0 changes: release 1 covers main.*\nthree quarters of its lifetime are over: `mooring release --renew`\n/,
  );
  assert.match(
    (await bench.release("b@acme.dev", { renew: true })).text,
    /still to sign:\n {2}secrets {2}1 of a@acme\.dev, security@acme\.dev\n/,
  );
  const second = await bench.release("a@acme.dev", { renew: true });
  assert.match(second.text, /signed secrets release 2 as a@acme\.dev\nrelease 2 covers main: complete/);
  const doc = await latest(bench);
  assert.deepEqual([doc.serial, doc.classes.access.since, doc.classes.plugins.since], [2, 1, 1]);
  assert.match((await bench.plan()).text, /^0 changes: release 2 covers main, until 2027-05-\d\d \(90 days\)\n/);
  assert.equal((await selected(bench)).serial, 2);
});

test("an approval taken back counts for nobody who approves or merges later, and is burnt once its withdrawal is complete", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  await bench.branch("wider", widened(bench));
  await bench.approve("security@acme.dev", "wider");
  const first = await takeBack(bench, "security@acme.dev", "wider");
  assert.match(
    first.text,
    /^takes back release 2 of 2026-11-25, signed by\n {2}access {3}security@acme\.dev\nuntil this is complete, others can still complete it\n/,
  );
  assert.deepEqual(linesOf(first, "still to sign:"), ["release  1 of a@acme.dev, b@acme.dev"]);

  // Not complete yet: with us it does not count any more.
  const other = await bench.approve("a@acme.dev", "wider");
  assert.match(other.text, /release 2 no longer counts: security@acme\.dev took it back\n/);
  assert.match(other.text, /still to sign:\n {2}access {2}1 of security@acme\.dev/);

  assert.match(other.text, /signed release 4 as a@acme\.dev/); // above the withdrawal, or that would burn it as well

  const second = await takeBack(bench, "b@acme.dev", "release/2");
  assert.match(second.text, /release 3 covers what is in force: complete/);
  assert.equal((await selected(bench)).serial, 3);
  const doc = await latest(bench, 3);
  assert.equal(doc.classes.access.since, 3);
  assert.equal(doc.classes.plugins.since, 1);

  // The pull request is merged after all: access is asked again.
  await bench.commit(widened(bench));
  const merged = await bench.release("a@acme.dev");
  assert.match(merged.text, /still to sign:\n {2}access {2}1 of security@acme\.dev/);
  assert.equal((await selected(bench)).serial, 3);
});

test("who takes an approval back takes nobody else's: the word of the access role stays", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  await bench.branch("wider", widened(bench));
  await bench.approve("security@acme.dev", "wider");
  await bench.approve("b@acme.dev", "wider");
  const back = await takeBack(bench, "b@acme.dev", "wider");
  assert.deepEqual(linesOf(back, "still to sign:"), ["access  1 of security@acme.dev"]);
  const again = await bench.approve("a@acme.dev", "wider");
  assert.match(again.text, /release 2 no longer counts: b@acme\.dev took it back\n/);
  assert.match(again.text, /signed release 4 as a@acme\.dev\nrelease 4 covers the merge of wider: complete/);
  assert.equal((await latest(bench, 4)).classes.access.since, 2);
});

test("what machines have, what nobody signed and what is not there can't be taken back", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.branch("wider", widened(bench));
  await assert.rejects(takeBack(bench, "a@acme.dev", "wider"), { code: "WITHDRAW_UNKNOWN", why: /nothing is in force yet/ });
  await bench.releaseAll();
  await assert.rejects(takeBack(bench, "a@acme.dev", "main"), { code: "WITHDRAW_TOO_LATE", why: "machines have release 1 already" });
  await assert.rejects(takeBack(bench, "a@acme.dev", "wider"), {
    code: "WITHDRAW_UNKNOWN",
    why: /no signed release that machines do not have/,
  });
  await bench.approve("security@acme.dev", "wider");
  await assert.rejects(takeBack(bench, "a@acme.dev", "release/7"), {
    code: "WITHDRAW_UNKNOWN",
    why: /there are release\/2-[0-9a-f]{8} \(signed by security@acme\.dev\)$/,
  });
  await bench.plan({ cache: bench.options("ops@acme.dev").cache, trustRoot: await bench.root() });
  await assert.rejects(takeBack(bench, "ops@acme.dev", "wider"), { code: "SIGNER_UNKNOWN" }); // in no role
});

test("a signer who is distrusted: what hung on them is shown, attested again by others, and their later releases count no more", async (t) => {
  const bench = await CliBench.make(t, "local");
  const withTwo = edited(bench.tree, "fleet.yaml", /(access: .*principals: \[)security@acme\.dev\]/, "$1security@acme.dev, b@acme.dev]");
  await bench.commit({ "fleet.yaml": withTwo["fleet.yaml"]! });
  const trustRoot = await bench.root();
  for (const who of ["a@acme.dev", "b@acme.dev", "recovery@acme.dev"] as const) await bench.release(who, { trustRoot });
  await bench.commit(widened(bench));
  await bench.release("a@acme.dev", { trustRoot });
  await bench.release("security@acme.dev", { trustRoot });
  assert.equal((await selected(bench, trustRoot)).serial, 2);

  const ask = { trustRoot, distrust: { principal: "security@acme.dev", since: { serial: 2 } } };
  await assert.rejects(bench.release("a@acme.dev", ask), (err: Error & { code: string; fix: string }) => {
    assert.equal(err.code, "SIGNER_STILL_TRUSTED");
    assert.match(err.message, /^trust\/allowed_signers:3: security@acme\.dev counts from release 2 on$/);
    assert.match(err.fix, /mooring:until=1;/);
    return true;
  });
  const before = { ...bench.tree };
  await bench.commit(without(bench, "security@acme.dev"));
  const first = await bench.release("a@acme.dev", ask);
  assert.deepEqual(linesOf(first, "what only security@acme.dev signed since release 2:"), ["release 2  2026-11-25  access, in force"]);
  assert.deepEqual(linesOf(first, "to be attested again, by this release:"), ["access    rested on release 2; now 1 of b@acme.dev"]);
  const second = await bench.release("b@acme.dev", { trustRoot }); // joins without naming anybody
  assert.match(second.text, /release 3 covers main: complete/);
  const doc = await latest(bench, 3);
  assert.deepEqual([doc.classes.access.since, doc.classes.plugins.since], [3, 1]);
  assert.equal((await selected(bench, trustRoot)).serial, 3);

  // Whoever has their key goes on signing by the trust of before, with an accomplice, and even gets main back to it.
  const held = await git(bench.gitdir, "rev-parse", "refs/heads/main");
  await commitTo(bench.gitdir, { branch: "main", files: before });
  const evil = { ...(await latest(bench, 2)), serial: 4, prev: null, issued: timeOf(bench.now), expires: timeOf(bench.now + 90 * DAY_MS) };
  await forge(bench, evil, ["security@acme.dev", "a@acme.dev"]);
  const running = await selected(bench, trustRoot, { since: held, serial: 3 });
  assert.deepEqual(running, { revision: held, serial: 3 }); // that trust was left with release 3
});

// A key that ended still verifies what is dated before its end, so nothing may go on resting on it.
test("a signer who leaves with `until`: what hung on them is attested again by the release that ends their key, and not once more", async (t) => {
  const bench = await CliBench.make(t, "local");
  const withTwo = edited(bench.tree, "fleet.yaml", /(access: .*principals: \[)security@acme\.dev\]/, "$1security@acme.dev, b@acme.dev]");
  await bench.commit({ "fleet.yaml": withTwo["fleet.yaml"]! });
  const trustRoot = await bench.root();
  for (const who of ["a@acme.dev", "recovery@acme.dev", "security@acme.dev"] as const) await bench.release(who, { trustRoot });
  assert.equal((await selected(bench, trustRoot)).serial, 1);
  const signers = bench.tree["trust/allowed_signers"]!.replace(/^(security@acme\.dev .*)$/m, "$1 mooring:until=1");
  await bench.commit({ "trust/allowed_signers": signers });
  await bench.release("a@acme.dev", { trustRoot });
  const joined = await bench.release("recovery@acme.dev", { trustRoot });
  assert.match(
    joined.text,
    /still to sign:\n {2}access {2}1 of b@acme\.dev, security@acme\.dev|access {2}1 of security@acme\.dev, b@acme\.dev/,
  );
  await bench.release("b@acme.dev", { trustRoot });
  const doc = await latest(bench, 2);
  assert.deepEqual([doc.classes.access.since, doc.classes.plugins.since], [2, 1]);
  assert.equal((await selected(bench, trustRoot)).serial, 2);
  await bench.release("b@acme.dev", { trustRoot, renew: true });
  assert.equal((await latest(bench, 3)).classes.access.since, 2);
});

test("the resolver's form is kept, may be named, and one that this version does not know is no reason to sign something else", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  assert.match((await bench.release("a@acme.dev", { resolver: 1 })).text, /^0 changes: release 1 covers main/);
  await assert.rejects(bench.release("a@acme.dev", { resolver: 2 }), { code: "RESOLVER_UNKNOWN", why: "this version resolves form 1" });
  // A newer version has taken the fleet to form 2.
  const next = { ...(await latest(bench)), serial: 2, resolver: 2 };
  await forge(bench, next, ["a@acme.dev"]);
  await assert.rejects(bench.release("b@acme.dev", { trustRoot, renew: true }), {
    code: "RESOLVER_UNKNOWN",
    message: "release 2 is in resolver form 2",
  });
  assert.equal((await selected(bench)).serial, 2); // the same outcome: machines and hub compare roots
  const back = await bench.release("b@acme.dev", { trustRoot, resolver: 1 });
  assert.match(back.text, /^0 changes[^]*release 3 covers main: complete/);
  assert.equal((await latest(bench, 3)).resolver, 1);
});

for (const kind of ["http", "local"] as const)
  test(`a pull request is approved by its number, and a commit no branch names by its id, over ${kind}`, async (t) => {
    const bench = await CliBench.make(t, kind);
    await bench.releaseAll();
    const theirs = await bench.branch("wider", widened(bench));
    await git(bench.gitdir, "update-ref", "refs/pull/42/head", theirs);
    await git(bench.gitdir, "update-ref", "refs/merge-requests/7/head", theirs);
    await git(bench.gitdir, "update-ref", "-d", "refs/heads/wider");
    const first = await bench.approve("security@acme.dev", "42");
    assert.match(first.text, new RegExp(`release 2 for the merge of pull request 42 \\(${theirs.slice(0, 8)}\\) needs:`));
    assert.match((await bench.approve("a@acme.dev", "!7")).text, /release 2 covers the merge of merge request 7 .*: complete/);
    assert.match((await bench.approve("b@acme.dev", theirs)).text, new RegExp(`release 2 covers the merge of ${theirs.slice(0, 8)},`));
    await assert.rejects(bench.approve("b@acme.dev", "43"), { code: "SOURCE_OBJECT_MISSING", message: "pull request 43" });
    await assert.rejects(bench.approve("b@acme.dev", "f".repeat(40)), { code: "SOURCE_OBJECT_MISSING", fix: "name its branch instead" });
    assert.equal((await bench.plan()).code, 0); // the copy is whole after that
  });

test("two keys of one person count once, and a role that asks for a touch takes no key of a file", async (t) => {
  const bench = await CliBench.make(t, "local");
  const spare = newPerson(bench.folder, "spare");
  const touched = edited(bench.tree, "fleet.yaml", /(access: .*\]) \}/, "$1, touch: required }")["fleet.yaml"]!;
  const signers = `${bench.tree["trust/allowed_signers"]!}a@acme.dev ${spare.key}\nsecurity@acme.dev ${hardwareSigner().key}\n`;
  await bench.commit({ "fleet.yaml": touched, "trust/allowed_signers": signers });
  const trustRoot = await bench.root();
  const first = await bench.release("a@acme.dev");
  assert.deepEqual(linesOf(first, "still to sign:"), [
    "root    1 of b@acme.dev, recovery@acme.dev; signed: a@acme.dev  (trust)",
    "access  1 of security@acme.dev, with a touch",
  ]);
  assert.match((await bench.release("a@acme.dev", { key: spare.keyFile })).text, /a@acme\.dev has signed this already/);
  // Signed with both keys all the same, past our command.
  await forge(bench, await latest(bench), ["a@acme.dev"], spare.keyFile, spare.key);
  assert.match((await bench.plan({ trustRoot })).text, /root {4}1 of b@acme\.dev, recovery@acme\.dev; signed: a@acme\.dev {2}\(trust\)\n/);
  await assert.rejects(bench.release("security@acme.dev", { trustRoot }), {
    code: "SIGNER_KEY_MISMATCH",
    why: "role access asks for a touch (spec.trust.roles of fleet.yaml)",
  });
});

function takeBack(bench: CliBench, who: Who, revision: string): Promise<Ran> {
  const options = { ...bench.options(who), revision, lifts: [], renew: false, yes: true };
  return bench.run((io) => withdraw(options, io, bench.deps));
}

function widened(bench: CliBench): Record<string, string> {
  return { [GRANT]: edited(bench.tree, GRANT, "2028-01-01", "2029-01-01")[GRANT]! };
}

/** Fleet and signers with somebody taken out everywhere. */
function without(bench: CliBench, who: string): Record<string, string> {
  const signers = bench.tree["trust/allowed_signers"]!.split("\n").filter((line) => !line.startsWith(who));
  const fleet = bench.tree["fleet.yaml"]!.replaceAll(new RegExp(`(, )?${who.replaceAll(".", "\\.")}`, "g"), "").replaceAll("[, ", "[");
  return { "trust/allowed_signers": signers.join("\n"), "fleet.yaml": fleet };
}

/** A document on the branch with good signatures, past our own commands. */
async function forge(
  bench: CliBench,
  doc: object & { readonly serial: number },
  signers: readonly Who[],
  file?: string,
  text?: string,
): Promise<void> {
  const { signerOf } = await import("#cli/sign/index.ts");
  const bytes = canonBytes(doc);
  const files: Record<string, string | Uint8Array> = {};
  const folder = releaseFolder("release", doc.serial, bytes);
  files[`${folder}/release.json`] = bytes;
  for (const who of signers) {
    const person = bench.people.get(who)!;
    const [key, keyFile] = [text ?? person.key, file ?? person.keyFile];
    const section = { keys: { [who]: [{ key, touch: "optional", from: 1, until: null }] } } as unknown as Parameters<
      typeof signerOf
    >[1][number];
    const signer = await signerOf({ key: keyFile, as: who }, [section], doc.serial);
    files[`${folder}/${who}${file === undefined ? "" : ".2"}.sig`] = await signer.sign(bytes, RELEASE_NAMESPACE);
  }
  await commitTo(bench.gitdir, { branch: "mooring/releases", files });
}
