import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { parseAllowedSigners } from "#proof/sshsig/index.ts";
import { commitTo, git, mergeTo } from "#test/support/repo.ts";
import { makeBench, openBench } from "./support.ts";

const LINES = Array.from({ length: 12 }, (_, i) => `line ${i}\n`).join("");

/** A base, two branches by Ann on it that merge cleanly, and a judge. */
async function makeHistory(t: TestContext) {
  const bench = await makeBench(t);
  const ann = join(bench.folder, "ann");
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", ann]);
  const allowed = parseAllowedSigners(`ann ${(await readFile(`${ann}.pub`, "utf8")).trim()}\n`);
  const source = await openBench(bench, "local");
  const { gitdir } = bench;
  const base = await commitTo(gitdir, { files: { a: LINES, b: "b\n", "dir/c": "c\n" } });
  const side = (branch: string, files: Parameters<typeof commitTo>[1]["files"], parents = [base]): Promise<string> =>
    commitTo(gitdir, { branch, parents, files, signKey: ann });
  const [ours, theirs, third] = [
    await side("ours", { a: LINES.replace("line 1\n", "ours\n") }),
    await side("theirs", { a: LINES.replace("line 9\n", "theirs\n"), d: "d\n" }),
    await side("third", { e: "e\n" }),
  ];
  /** null, or the commit that is refused. */
  const refused = async (head: string, since = base): Promise<string | null> => {
    try {
      await source.verifyCommits({ require: "every", since, head, allowed, serial: 1, openpgp: null, now: 0 });
      return null;
    } catch (err) {
      const { code, have } = err as { code: string; have: string };
      assert.equal(code, "SOURCE_UNSIGNED");
      return have;
    }
  };
  /** A merge commit with parents and tree of our choice. */
  const merge = async (tree: string, parents: readonly string[], ...more: readonly string[]): Promise<string> =>
    git(gitdir, ...more, "commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]), "-m", "merge");
  const treeOf = (commit: string): Promise<string> => git(gitdir, "rev-parse", `${commit}^{tree}`);
  const sign = ["-c", "gpg.format=ssh", "-c", `user.signingkey=${ann}`, "-c", "commit.gpgsign=true"];
  const signed = async (tree: string, parents: readonly string[]): Promise<string> =>
    git(gitdir, ...sign, "commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]), "-S", "-m", "merge");
  return { gitdir, base, ours, theirs, third, side, refused, merge, signed, treeOf };
}

test("a clean merge needs no signature, whichever parent comes first, also where one side is old", async (t) => {
  const { gitdir, ours, theirs, refused, merge, treeOf } = await makeHistory(t);
  const clean = await mergeTo(gitdir, "main", ours, theirs);
  assert.equal(await refused(clean), null);
  assert.equal(await refused(await merge(await treeOf(clean), [theirs, ours])), null);
  assert.equal(await refused(clean, ours), null);
});

test("an evil merge, a merge -s ours and a merge that takes one side's file are judged as edits", async (t) => {
  const { gitdir, base, ours, theirs, refused, merge, signed, treeOf } = await makeHistory(t);
  const planted = await commitTo(gitdir, { branch: "p", parents: [ours, theirs], files: { "dir/c": "planted\n", d: "d\n" } });
  for (const [name, tree] of [
    ["planted", await treeOf(planted)],
    ["-s ours", await treeOf(ours)],
    ["-s theirs", await treeOf(theirs)],
    ["back to the base", await treeOf(base)],
  ] as const) {
    const evil = await merge(tree, [ours, theirs]);
    assert.equal(await refused(evil), evil, name);
    assert.equal(await refused(await signed(tree, [ours, theirs])), null, `${name}, signed`);
  }
});

test("an octopus is judged as an edit, also a clean one", async (t) => {
  const { gitdir, ours, theirs, third, refused, merge, signed, treeOf } = await makeHistory(t);
  const two = await mergeTo(gitdir, "two", ours, theirs);
  const tree = await treeOf(await mergeTo(gitdir, "three", two, third));
  const octopus = await merge(tree, [ours, theirs, third]);
  assert.equal(await refused(octopus), octopus);
  assert.equal(await refused(await signed(tree, [ours, theirs, third])), null);
});

test("a squash and a rebase are new commits: without a signature they are refused", async (t) => {
  const { gitdir, base, theirs, refused, merge, signed, treeOf } = await makeHistory(t);
  const squash = await merge(await treeOf(theirs), [base]);
  assert.equal(await refused(squash), squash);
  assert.equal(await refused(await signed(await treeOf(theirs), [base])), null);
  assert.equal(await git(gitdir, "rev-parse", `${squash}^{tree}`), await treeOf(theirs));
});

test("a merge over a criss-cross history is judged as an edit: there is no one base", async (t) => {
  const { gitdir, ours, theirs, refused, signed, treeOf, side } = await makeHistory(t);
  const left = await mergeTo(gitdir, "left", ours, theirs);
  const right = await mergeTo(gitdir, "right", theirs, ours);
  const [more, most] = [await side("l2", { f: "f\n" }, [left]), await side("r2", { g: "g\n" }, [right])];
  const cross = await mergeTo(gitdir, "cross", more, most);
  assert.equal(await refused(cross), cross);
  assert.equal(await refused(await signed(await treeOf(cross), [more, most])), null);
});

test("an unsigned commit that a clean merge brings in is what is refused", async (t) => {
  const { gitdir, base, ours, refused } = await makeHistory(t);
  const loose = await commitTo(gitdir, { branch: "loose", parents: [base], files: { x: "x\n" } });
  assert.equal(await refused(await mergeTo(gitdir, "m", ours, loose)), loose);
});

test("a merge with an unrelated history is judged as an edit", async (t) => {
  const { gitdir, ours, side, refused, merge, treeOf } = await makeHistory(t);
  const island = await side("island", { "island/x": "x\n" }, []);
  const joined = await commitTo(gitdir, { branch: "j", parents: [ours], files: { "island/x": "x\n" } });
  const merged = await merge(await treeOf(joined), [ours, island]);
  assert.equal(await refused(merged), merged);
});
