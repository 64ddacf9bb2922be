import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { parseAllowedSigners } from "#proof/sshsig/index.ts";
import { isTree, mergeTrees, type Source } from "#reconciler/source/index.ts";
import { commitTo, git, mergeTo } from "#test/support/repo.ts";
import { type Bench, makeBench, openBench } from "./support.ts";

async function makeKey(bench: Bench, name: string, type = "ed25519"): Promise<{ path: string; line: string }> {
  const path = join(bench.folder, name);
  await promisify(execFile)("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", path]);
  return { path, line: `${name} ${(await readFile(`${path}.pub`, "utf8")).trim()}\n` };
}

const TEN_LINES = Array.from({ length: 10 }, (_, i) => `line ${i}\n`).join("");

async function mergeOf(source: Source, base: string, ours: string, theirs: string): Promise<Awaited<ReturnType<typeof mergeTrees>>> {
  return source.withObjects(async (objects) => {
    const root = async (oid: string): Promise<string> => (await objects.commit(oid)).tree;
    return mergeTrees(objects, await root(base), await root(ours), await root(theirs));
  });
}

test("commits.require: none takes all, head looks at the tip, every at each new commit", async (t) => {
  const bench = await makeBench(t);
  const ann = await makeKey(bench, "ann");
  const bob = await makeKey(bench, "bob", "ecdsa");
  const eve = await makeKey(bench, "eve");
  const allowed = parseAllowedSigners(ann.line + bob.line.replace(" ", ' namespaces="git" '));
  const source = await openBench(bench, "local");
  const judge = (require: "none" | "head" | "every", since: string | null, head: string): Promise<void> =>
    source.verifyCommits({ require, since, head, allowed, serial: 1, openpgp: null, now: 0 });
  const base = await commitTo(bench.gitdir, { files: { a: "0" } });
  const unsigned = await commitTo(bench.gitdir, { files: { a: "1" } });
  const signed = await commitTo(bench.gitdir, { files: { a: "2" }, signKey: ann.path });
  const more = await commitTo(bench.gitdir, { files: { a: "3" }, signKey: bob.path });
  const foreign = await commitTo(bench.gitdir, { files: { a: "4" }, signKey: eve.path });

  await judge("none", base, foreign);
  await judge("head", base, more);
  await assert.rejects(judge("head", base, unsigned), { code: "SOURCE_UNSIGNED", have: unsigned });
  await assert.rejects(judge("head", base, foreign), { code: "SOURCE_UNSIGNED", have: foreign });
  await judge("every", unsigned, more);
  await judge("every", null, signed);
  await judge("every", more, more);
  await assert.rejects(judge("every", base, more), { code: "SOURCE_UNSIGNED", have: unsigned });
});

test("a signature moved to another commit, another namespace or a key outside its window does not count", async (t) => {
  const bench = await makeBench(t);
  const ann = await makeKey(bench, "ann");
  const source = await openBench(bench, "local");
  const base = await commitTo(bench.gitdir, { files: { a: "0" } });
  const good = await commitTo(bench.gitdir, { files: { a: "1" }, signKey: ann.path });
  const judge = (head: string, line: string, serial = 5): Promise<void> =>
    source.verifyCommits({ require: "head", since: base, head, allowed: parseAllowedSigners(line), serial, openpgp: null, now: 0 });
  await judge(good, ann.line);
  await assert.rejects(judge(good, ann.line.replace(" ", ' namespaces="mooring-release" ')), { code: "SOURCE_UNSIGNED" });
  await assert.rejects(judge(good, `${ann.line.trim()} mooring:until=4\n`), { code: "SOURCE_UNSIGNED" });
  await assert.rejects(judge(good, `${ann.line.trim()} mooring:from=6\n`), { code: "SOURCE_UNSIGNED" });
  const forged = (await git(bench.gitdir, "cat-file", "commit", good)).replace("change", "changed");
  const path = join(bench.folder, "forged");
  await writeFile(path, `${forged}\n`);
  const moved = await git(bench.gitdir, "hash-object", "-t", "commit", "-w", path);
  await assert.rejects(judge(moved, ann.line), { code: "SOURCE_UNSIGNED", have: moved });
});

test("an unsigned merge counts only when it adds nothing to two accepted parents", async (t) => {
  const bench = await makeBench(t);
  const ann = await makeKey(bench, "ann");
  const source = await openBench(bench, "local");
  const allowed = parseAllowedSigners(ann.line);
  const sign = { signKey: ann.path };
  const judge = (require: "head" | "every", since: string, head: string): Promise<void> =>
    source.verifyCommits({ require, since, head, allowed, serial: 1, openpgp: null, now: 0 });
  const base = await commitTo(bench.gitdir, { files: { a: TEN_LINES, b: "b" } });
  const ours = await commitTo(bench.gitdir, {
    branch: "o",
    parents: [base],
    files: { a: TEN_LINES.replace("line 1\n", "ours\n") },
    ...sign,
  });
  const theirs = await commitTo(bench.gitdir, {
    branch: "t",
    parents: [base],
    files: { a: TEN_LINES.replace("line 8\n", "theirs\n"), c: "c" },
    ...sign,
  });
  const merge = await mergeTo(bench.gitdir, "main", ours, theirs);
  await judge("every", base, merge);
  await judge("head", base, merge);
  await judge("every", ours, merge);

  const evil = await commitTo(bench.gitdir, { branch: "e", parents: [ours, theirs], files: { b: "planted" } });
  await assert.rejects(judge("every", base, evil), { code: "SOURCE_UNSIGNED", have: evil });
  const signedEvil = await commitTo(bench.gitdir, { branch: "e", parents: [ours, theirs], files: { b: "resolved" }, ...sign });
  await judge("every", base, signedEvil);

  const loose = await commitTo(bench.gitdir, { branch: "l", parents: [base], files: { d: "d" } });
  const carrying = await mergeTo(bench.gitdir, "m", ours, loose);
  await assert.rejects(judge("every", base, carrying), { code: "SOURCE_UNSIGNED", have: loose });
  await assert.rejects(judge("head", base, carrying), { code: "SOURCE_UNSIGNED", have: carrying });
});

test("our merge of two trees is git's, and its conflicts are conflicts", async (t) => {
  const bench = await makeBench(t);
  const source = await openBench(bench, "local");
  const base = await commitTo(bench.gitdir, { files: { "m/a": TEN_LINES, "m/b": "b", gone: "g", same: "s" } });
  const side = (branch: string, files: Parameters<typeof commitTo>[1]["files"]): Promise<string> =>
    commitTo(bench.gitdir, { branch, parents: [base], files });
  const ours = await side("o", { "m/a": `new\n${TEN_LINES}`, gone: null, same: "both", mine: "1" });
  const theirs = await side("t", { "m/a": TEN_LINES.replace("line 6\n", ""), same: "both", "x/yours": "2" });
  const merged = await mergeOf(source, base, ours, theirs);
  assert.equal(merged.at, "merged");
  const real = await mergeTo(bench.gitdir, "main", ours, theirs);
  const tree = await git(bench.gitdir, "rev-parse", `${real}^{tree}`);
  assert.ok(merged.at === "merged" && (await source.withObjects((objects) => isTree(objects, tree, merged.files))));

  for (const [files, path] of [
    [{ "m/a": `other\n${TEN_LINES}` }, "m/a"],
    [{ gone: "changed" }, "gone"],
    [{ mine: "other" }, "mine"],
    [{ "mine/inner": "a folder" }, "mine"],
    [{ "m/b": "x\0y" }, null],
  ] as const) {
    const rival = await side("r", files);
    const result = await mergeOf(source, base, ours, rival);
    assert.deepEqual(result.at === "conflict" ? result.paths : null, path === null ? null : [path]);
    if (path !== null) await assert.rejects(mergeTo(bench.gitdir, "r2", ours, rival), /./);
  }
});

test("a squash of reviewed changes has the tree the merge had", async (t) => {
  const bench = await makeBench(t);
  const source = await openBench(bench, "local");
  const base = await commitTo(bench.gitdir, { files: { a: TEN_LINES } });
  await commitTo(bench.gitdir, { branch: "pr", parents: [base], files: { b: "1" } });
  const pr = await commitTo(bench.gitdir, { branch: "pr", files: { b: "2", c: "3" } });
  const main = await commitTo(bench.gitdir, { files: { d: "4" } });
  const shown = await mergeOf(source, base, main, pr);
  const squash = await commitTo(bench.gitdir, { files: { b: "2", c: "3" } });
  assert.ok(shown.at === "merged");
  const tree = await git(bench.gitdir, "rev-parse", `${squash}^{tree}`);
  assert.ok(await source.withObjects((objects) => isTree(objects, tree, shown.files)));
});
