import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { commitFiles } from "#reconciler/source/index.ts";
import { branchTip, commitTo, git } from "#test/support/repo.ts";
import { AUTHOR, type Bench, makeBench, PUSH_DEPS } from "./support.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function push(bench: Bench, kind: "http" | "local", files: Record<string, string>, branch = "mooring/releases"): Promise<string> {
  const url = kind === "http" ? bench.server.url("fleet.git") : bench.gitdir;
  const map = new Map(Object.entries(files).map(([path, text]) => [path, bytes(text)]));
  return commitFiles({ url, branch, files: map, message: "release", author: AUTHOR }, PUSH_DEPS);
}

for (const kind of ["http", "local"] as const) {
  test(`${kind}: files land on a new orphan branch, then on top of it, and git finds nothing wrong`, async (t) => {
    const bench = await makeBench(t);
    await commitTo(bench.gitdir, { files: { "fleet.yaml": "x" } });
    const first = await push(bench, kind, { "1-aaaaaaaa/release.json": "one", "1-aaaaaaaa/ann.sig": "sig" });
    assert.equal(await git(bench.gitdir, "rev-list", "--count", first), "1");
    const second = await push(bench, kind, { "1-aaaaaaaa/bob.sig": "sig2", "2-bbbbbbbb/release.json": "two" });
    assert.equal(await branchTip(bench.gitdir, "mooring/releases"), second);
    assert.equal(await git(bench.gitdir, "rev-parse", `${second}^`), first);
    assert.equal(
      await git(bench.gitdir, "ls-tree", "-r", "--name-only", second),
      "1-aaaaaaaa/ann.sig\n1-aaaaaaaa/bob.sig\n1-aaaaaaaa/release.json\n2-bbbbbbbb/release.json",
    );
    assert.equal(await git(bench.gitdir, "cat-file", "blob", `${second}:2-bbbbbbbb/release.json`), "two");
    await git(bench.gitdir, "fsck", "--strict", "--full");
  });

  test(`${kind}: what is there is never overwritten; the same again changes nothing`, async (t) => {
    const bench = await makeBench(t);
    const first = await push(bench, kind, { "1-a/release.json": "one" });
    assert.equal(await push(bench, kind, { "1-a/release.json": "one" }), first);
    for (const path of ["1-a/release.json", "1-a", "1-a/release.json/x", "../x", ".git/config", "a//b", "/abs", "a b"]) {
      await assert.rejects(push(bench, kind, { [path]: "other" }), { code: "SOURCE_PATH_TAKEN" }, path);
    }
    assert.equal(await branchTip(bench.gitdir, "mooring/releases"), first);
  });

  test(`${kind}: pushers who race all land, none is lost, none forces`, async (t) => {
    const bench = await makeBench(t);
    await push(bench, kind, { "0/release.json": "zero" });
    await Promise.all(["a", "b", "c"].map((name) => push(bench, kind, { [`${name}/release.json`]: name })));
    const names = await git(bench.gitdir, "ls-tree", "--name-only", "mooring/releases");
    assert.equal(names, "0\na\nb\nc");
    assert.equal(await git(bench.gitdir, "rev-list", "--count", "mooring/releases"), "4");
  });
}

test("a push that is beaten between reading and writing is built anew on the winner's commit", async (t) => {
  const bench = await makeBench(t);
  await push(bench, "http", { "1/release.json": "one" });
  let beaten = 0;
  bench.server.onRequest = async (request) => {
    if (request.method !== "POST" || request.url?.endsWith("/git-receive-pack") !== true || beaten >= 2) return;
    beaten++;
    await commitTo(bench.gitdir, { branch: "mooring/releases", files: { [`rival-${beaten}`]: "x" } });
  };
  await push(bench, "http", { "2/release.json": "two" });
  assert.equal(beaten, 2);
  assert.equal(await git(bench.gitdir, "ls-tree", "--name-only", "mooring/releases"), "1\n2\nrival-1\nrival-2");
});

test("a branch that somebody holds locked is given up after some tries, and a hook's refusal at once", async (t) => {
  const bench = await makeBench(t);
  await push(bench, "local", { "1/release.json": "one" });
  await writeFile(join(bench.gitdir, "refs/heads/mooring/releases.lock"), "");
  await assert.rejects(push(bench, "local", { "2/release.json": "two" }), { code: "SOURCE_PUSH_RACED" });
  await writeFile(join(bench.gitdir, "hooks/pre-receive"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  await assert.rejects(push(bench, "http", { "2/release.json": "two" }, "other"), { code: "SOURCE_PUSH_REFUSED" });
  await assert.rejects(push(bench, "http", { x: "" }, "../main"), { code: "SOURCE_MISCONFIGURED" });
});
