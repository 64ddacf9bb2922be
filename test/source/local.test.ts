/** Repositories on this machine that git made in every way it knows: references, loose objects, packs, alternates. */
import assert from "node:assert/strict";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ObjectFiles } from "#reconciler/source/store/object-files.ts";
import { hashObject } from "#reconciler/source/objects.ts";
import { readRef } from "#reconciler/source/refs.ts";
import { commitTo, git, makeBareRepo } from "#test/support/repo.ts";
import { makeBench, openBench } from "./support.ts";

async function readAll(gitdir: string): Promise<number> {
  const all = (await git(gitdir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")).split("\n");
  const files = new ObjectFiles(gitdir);
  for (const line of all) {
    const [oid = "", type] = line.split(" ");
    const found = files.read(oid);
    assert.ok(found?.at === "found" && found.type === type && hashObject(found.type, found.content) === oid, line);
  }
  return all.length;
}

test("references are found loose, packed and through others, and what is none is said", async (t) => {
  const { gitdir } = await makeBench(t);
  const first = await commitTo(gitdir, { files: { a: "1" } });
  const other = await commitTo(gitdir, { branch: "feature/x", files: { b: "1" }, parents: [] });
  assert.equal(readRef(gitdir, "refs/heads/main"), first);
  await git(gitdir, "pack-refs", "--all", "--prune");
  assert.equal(readRef(gitdir, "refs/heads/main"), first);
  assert.equal(readRef(gitdir, "refs/heads/feature/x"), other);
  const second = await commitTo(gitdir, { files: { a: "2" } });
  assert.equal(readRef(gitdir, "refs/heads/main"), second); // loose again, before packed
  await git(gitdir, "symbolic-ref", "refs/heads/alias", "refs/heads/main");
  assert.equal(readRef(gitdir, "refs/heads/alias"), second);
  for (const none of ["refs/heads/nothing", "refs/heads/feature", "refs/heads/main/deeper"]) assert.equal(readRef(gitdir, none), null);
  await git(gitdir, "symbolic-ref", "refs/heads/ring", "refs/heads/ring");
  for (const [name, text] of [
    ["junk", "what is this"],
    ["out", "ref: refs/heads/../../../etc/passwd"],
    ["empty", ""],
  ] as const)
    await writeFile(join(gitdir, "refs/heads", name), text);
  for (const bad of ["ring", "junk", "out", "empty"]) assert.throws(() => readRef(gitdir, `refs/heads/${bad}`), { code: "SOURCE_CORRUPT" });
});

test("repositories of a form we don't read are refused by name", async (t) => {
  for (const line of ["[extensions]\n\trefstorage = reftable\n", "[extensions]\n\tobjectFormat = sha256\n"]) {
    const { gitdir } = await makeBench(t);
    await appendFile(join(gitdir, "config"), line);
    assert.throws(() => readRef(gitdir, "refs/heads/main"), { code: "NOT_YET" });
  }
});

test("objects are read loose, packed with deltas, out of alternates, and while git packs again under us", async (t) => {
  const bench = await makeBench(t);
  const { gitdir, folder } = bench;
  const text = Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join("");
  let head = "";
  for (let n = 0; n < 8; n++)
    head = await commitTo(gitdir, { files: { a: text.replace(`line ${n}\n`, "changed\n"), [`d/${n}`]: String(n) } });
  await git(gitdir, "tag", "-a", "v1", "-m", "first", head);
  const loose = await readAll(gitdir);
  const source = await openBench(bench, "local");
  assert.equal((await source.readTree(head)).size, 9);
  await git(gitdir, "repack", "-adq", "--depth=50", "--window=50");
  await git(gitdir, "prune-packed", "-q");
  assert.equal(await readAll(gitdir), loose);
  assert.equal((await source.readTree(head)).size, 9);
  const late = await commitTo(gitdir, { files: { a: "late" } });
  assert.equal((await source.readTree(late)).size, 9);

  const borrower = await makeBareRepo(folder, "borrower.git");
  await mkdir(join(borrower, "objects/info"), { recursive: true });
  await writeFile(join(borrower, "objects/info/alternates"), `# where the rest is\n${join(gitdir, "objects")}\n`);
  await git(borrower, "update-ref", "refs/heads/main", late);
  assert.equal(await readAll(borrower), loose + 3);
  assert.match(await readFile(join(borrower, "HEAD"), "utf8"), /main/);
});
