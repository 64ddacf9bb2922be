import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { edited } from "#test/support/fleet-tree.ts";
import { branchTip, commitTo, git, GIT_ENV } from "#test/support/repo.ts";
import { type Person, RepoFleet } from "./repo-fleet.ts";

const ALL: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];
const signal = new AbortController().signal;

test("a signer who is taken out is named with what he signed; it goes on running until somebody settles it", async () => {
  const fleet = await RepoFleet.make();
  try {
    const [ann, bob] = [await makeKey(fleet, "ann"), await makeKey(fleet, "bob")];
    const commit = (key: string): Promise<string> =>
      commitTo(fleet.gitdir, { files: fleet.tree, branch: "main", message: "change", signKey: key });
    const base = fleet.tree["trust/allowed_signers"] ?? "";
    const signers = (lines: readonly string[]): void => {
      fleet.tree = { ...fleet.tree, "trust/allowed_signers": `${base}${lines.join("\n")}\n` };
    };
    fleet.tree = edited(fleet.tree, "fleet.yaml", "    lease: 48h", "    commits: { require: every }\n    lease: 48h");
    signers([ann.line, bob.line]);
    const first = await commit(ann.path);
    await fleet.release(ALL);
    const loop = await fleet.loop();
    await loop.look(signal);
    assert.equal(loop.view().target?.revision, first);
    assert.equal(loop.view().warning, null);

    signers([bob.line]); // ann takes herself out
    const second = await commit(ann.path);
    await loop.look(signal);
    assert.equal(loop.view().target?.revision, second, "keys for commits are in no release");
    assert.equal(loop.view().warning?.code, "SOURCE_SIGNER_GONE");
    assert.match(loop.view().warning?.why ?? "", /not allowed to sign commits/);
    assert.equal(loop.view().authors, null, "the hub signs nothing on top of it");

    fleet.tree = { ...fleet.tree, "README.md": "looked at\n" };
    const third = await commit(bob.path);
    await loop.look(signal);
    assert.equal(loop.view().target?.revision, third);
    assert.equal(loop.view().warning, null);

    fleet.tree = { ...fleet.tree, "README.md": "by ann\n" };
    const fourth = await commit(ann.path);
    await assert.rejects(loop.look(signal), { code: "SOURCE_UNSIGNED", have: fourth, message: /by Ann <ann@example\.net>$/ });
    assert.equal(loop.view().target?.revision, third);
  } finally {
    await fleet.close();
  }
});

test("a commit signed with gpg counts by the OpenPGP keys of the fleet repo, and by no others", async (t) => {
  const fleet = await RepoFleet.make();
  t.after(() => fleet.close());
  const home = join(fleet.folder, "gpg");
  await mkdir(home, { mode: 0o700 });
  const env = { ...GIT_ENV, GNUPGHOME: home };
  t.after(async () => promisify(execFile)("gpgconf", ["--kill", "all"], { env }));
  const gpg = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)("gpg", ["--batch", "--quiet", "--no-tty", "--passphrase", "", ...args], { env })).stdout;
  for (const user of ["ann", "eve"]) await gpg("--quick-gen-key", `${user}@acme.dev`, "ed25519", "sign", "0");
  /** The tree on top of main, signed by git itself with gpg. */
  const commit = async (user: string): Promise<string> => {
    const draft = await commitTo(fleet.gitdir, { files: fleet.tree, branch: "draft" });
    const parent = await branchTip(fleet.gitdir);
    const args = ["--git-dir", fleet.gitdir, "commit-tree", `${draft}^{tree}`, ...(parent === null ? [] : ["-p", parent])];
    const { stdout } = await promisify(execFile)("git", [...args, `-S${user}@acme.dev`, "-m", `by ${user}`], { env });
    await git(fleet.gitdir, "update-ref", "refs/heads/main", stdout.trim());
    return stdout.trim();
  };
  fleet.tree = edited(fleet.tree, "fleet.yaml", "    lease: 48h", "    commits: { require: every }\n    lease: 48h");
  fleet.tree = { ...fleet.tree, "trust/openpgp.asc": await gpg("--armor", "--export", "ann@acme.dev") };
  await commit("ann");
  await fleet.release(ALL);
  const loop = await fleet.loop();
  fleet.now = Date.now() - 60_000; // a signer's clock may be ahead of the hub's
  await loop.look(signal);
  fleet.tree = { ...fleet.tree, "README.md": "by ann\n" };
  const good = await commit("ann");
  await loop.look(signal);
  assert.equal(loop.view().target?.revision, good);
  assert.equal(loop.view().warning, null);
  fleet.tree = { ...fleet.tree, "README.md": "by eve\n" };
  const evil = await commit("eve");
  await assert.rejects(loop.look(signal), { code: "SOURCE_UNSIGNED", have: evil });
});

async function makeKey(fleet: RepoFleet, name: string): Promise<{ readonly path: string; readonly line: string }> {
  const path = join(fleet.folder, name);
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
  return { path, line: `${name}@acme.dev namespaces="git" ${(await readFile(`${path}.pub`, "utf8")).trim()}` };
}
