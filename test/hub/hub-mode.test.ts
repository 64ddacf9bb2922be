import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { sleep } from "#base/time/index.ts";
import { secretRefAdd } from "#cli/secret-ref/index.ts";
import type { Hub } from "#reconciler/hub/index.ts";
import { hubKeyLine, type HubKey, makeHubKey, readHubKey } from "#reconciler/signing/index.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { commitTo } from "#test/support/repo.ts";
import { SECRET, World } from "./world.ts";

// One fleet that gives the roles release and secrets to its hub; each test goes on where the one before ended.
let world: World;
let key: HubKey;
let hub: Hub;
let author: string;

before(async () => {
  world = await World.make();
  key = await makeHubKey(join(world.fleet.folder, "hub"));
  author = join(world.fleet.folder, "author");
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", author]);
  hub = await world.startHub({ key });
  await world.until((view) => view.inSync);
});
after(() => world.close());

/** Commits the tree, signed by the author unless told otherwise. */
function commit(signKey: string | null = author): Promise<string> {
  return commitTo(world.fleet.gitdir, {
    files: world.fleet.tree,
    branch: "main",
    message: "change",
    ...(signKey === null ? {} : { signKey }),
  });
}

async function released(revision: string): Promise<void> {
  while (hub.source().target?.revision !== revision) await sleep(10);
}

/** Roles that main's newest commit waits for, once the hub has seen it and done its part. */
async function waitingFor(revision: string): Promise<readonly string[]> {
  for (;;) {
    const { head } = hub.source();
    const missing = head?.revision === revision && head.cover?.at === "awaiting" ? head.cover.missing.map(({ role }) => role) : [];
    if (missing.length > 0 && !missing.includes("release")) return missing;
    await sleep(10);
  }
}

test("giving roles to the hub is root's decision; then the hub signs that very release", async () => {
  const { fleet } = world;
  const line = (await readFile(`${author}.pub`, "utf8")).trim();
  fleet.tree = edited(fleet.tree, "fleet.yaml", "release: { principals: [a@acme.dev, b@acme.dev] }", "release: { by: hub }");
  fleet.tree = edited(fleet.tree, "fleet.yaml", "secrets: { principals: [a@acme.dev, security@acme.dev] }", "secrets: { by: hub }");
  fleet.tree = edited(fleet.tree, "fleet.yaml", "    lease: 48h", "    commits: { require: every }\n    lease: 48h");
  const signers = `${fleet.tree["trust/allowed_signers"] ?? ""}${hubKeyLine(key)}\ndev@acme.dev namespaces="git" ${line}\n`;
  fleet.tree = { ...fleet.tree, "trust/allowed_signers": signers };
  const revision = await commit(null);
  while (hub.source().head?.revision !== revision) await sleep(10);
  assert.notEqual(hub.source().target?.revision, revision, "nobody of root has signed");
  await fleet.release(["a@acme.dev", "b@acme.dev"]);
  await released(revision);
  assert.equal(hub.source().target?.resolved.trust.roles.release.by, "hub");
  await world.until((view) => view.inSync && view.lastAppliedRevision === revision);
});

test("a plugin bump that an author signed rolls out without a person", async () => {
  await world.bump("2.0.0", 2);
  const revision = await commit();
  await released(revision);
  await world.until((view) => view.inSync && view.lastAppliedRevision === revision);
  assert.equal(hub.source().target?.head.release.doc.serial, 3);
});

test("a new version of a secret that an author committed is signed for, and sealed to the machines", async () => {
  const { fleet } = world;
  const before = hub.source().target?.secrets?.doc.serial ?? 0;
  const repoDir = join(fleet.folder, "checkout");
  const recipients = [(fleet.tree["trust/recipients"] ?? "").trim()];
  const added = await secretRefAdd({ repoDir, ref: SECRET, value: Buffer.from("another hello"), recipients, now: Date.now });
  for (const path of added.paths) fleet.tree = { ...fleet.tree, [path]: await readFile(join(repoDir, path), "utf8") };
  const revision = await commit();
  await released(revision);
  await world.until((view) => view.inSync && view.lastAppliedRevision === revision && view.error === null);
  assert.equal(hub.source().target?.secrets?.doc.serial, before + 1);
});

test("a wider grant waits for the people of access, whatever the hub signs", async () => {
  const { fleet } = world;
  const before = hub.source().target?.revision;
  fleet.tree = edited(fleet.tree, "grants/greeter.yaml", /expires: .*/, "expires: 2031-01-01");
  const revision = await commit();
  assert.deepEqual(await waitingFor(revision), ["access"]);
  assert.equal(hub.source().target?.revision, before);
  const cover = hub.source().head?.cover;
  const release = cover?.at === "awaiting" ? cover.head?.release : undefined;
  assert.ok(release !== undefined);
  const signature = fleet.signers.get("security@acme.dev")?.sign(release.bytes, "mooring-release") ?? "";
  await fleet.push({ [`${release.doc.serial}-${release.digest.slice(7, 15)}/security@acme.dev.sig`]: signature });
  await released(revision);
  await world.until((view) => view.inSync && view.lastAppliedRevision === revision);
});

test("a commit by nobody who may author is not signed for, nor is one that lets its author in", async () => {
  const { fleet } = world;
  const good = hub.source().target?.revision ?? "";
  const kept = fleet.tree;
  const serials = (): number => Math.max(...hub.source().branch.releases.map(({ release }) => release.doc.serial));
  const before = serials();
  const eve = join(fleet.folder, "eve");
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", eve]);
  const line = (await readFile(`${eve}.pub`, "utf8")).trim();
  fleet.tree = { ...kept, "trust/allowed_signers": `${kept["trust/allowed_signers"] ?? ""}eve@acme.dev namespaces="git" ${line}\n` };
  await commit(eve);
  while (hub.source().error?.code !== "SOURCE_UNSIGNED") await sleep(10);
  // The same by an author who may: it changes who may author, so root has to sign, and the hub signs nothing.
  const revision = await commitTo(fleet.gitdir, {
    files: fleet.tree,
    parents: [good],
    branch: "main",
    message: "let eve in",
    signKey: author,
  });
  while (hub.source().head?.revision !== revision) await sleep(10);
  const cover = hub.source().head?.cover;
  assert.ok(cover?.at === "awaiting");
  assert.ok(cover.missing.every(({ role }) => role === "root"));
  assert.equal(serials(), before);
  fleet.tree = kept;
});

test("the hub's key is made once, for its owner alone", async () => {
  const dir = join(world.fleet.folder, "another");
  assert.equal(await readHubKey(dir), null);
  const made = await makeHubKey(dir);
  assert.equal((await makeHubKey(dir)).key, made.key);
  assert.equal((await readHubKey(dir))?.key, made.key);
  assert.equal((await stat(join(dir, "hub-key.pem"))).mode & 0o777, 0o600);
  const wrong = join(world.fleet.folder, "wrong");
  await mkdir(wrong);
  await writeFile(join(wrong, "hub-key.pem"), "no key");
  await assert.rejects(readHubKey(wrong), { code: "HUB_KEY_UNUSABLE" });
});
