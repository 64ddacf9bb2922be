import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { edited } from "#test/support/fleet-tree.ts";
import { commitTo } from "#test/support/repo.ts";
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

async function makeKey(fleet: RepoFleet, name: string): Promise<{ readonly path: string; readonly line: string }> {
  const path = join(fleet.folder, name);
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
  return { path, line: `${name}@acme.dev namespaces="git" ${(await readFile(`${path}.pub`, "utf8")).trim()}` };
}
