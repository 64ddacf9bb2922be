/** isomorphic-git, which shares no code with our pack reader and our packets, as a second opinion: it reads what we keep, and clones what we push. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import isogit, { type HttpClient } from "isomorphic-git";
import web from "isomorphic-git/http/node";
import { parseAllowedSigners } from "#proof/sshsig/index.ts";
import { hashObject, Objects, pushCommit, type PushCommit, signatureRefusal } from "#reconciler/source/index.ts";
import { fileSigner } from "#test/proof/signer.ts";
import { branchTip, commitTo, git, mergeTo } from "#test/support/repo.ts";
import { gitBytes } from "./packs.ts";
import { makeSshBench } from "./ssh-bench.ts";
import { isogitOverSsh } from "./ssh-client.ts";
import { AUTHOR, type Bench, makeBench, openBench, PUSH_DEPS } from "./support.ts";

const NO_DEPTH = -1;
const lines = (seed: number, changed: number): string =>
  Array.from(
    { length: 400 },
    (_, i) => `line ${i}: ${i === changed % 400 ? `changed ${changed}` : (seed * (i + 7) * 2654435761) >>> 0}\n`,
  ).join("");

/** A fleet of some size that changes, as a server packs it: whole objects first, then deltas upon what we have, then older history. */
async function followed(bench: Bench): Promise<string> {
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`machines/site-${n % 3}/m${n}.yaml`, lines(n, 0)]));
  const first = await commitTo(bench.gitdir, { files });
  await commitTo(bench.gitdir, { branch: "mooring/releases", files: { "1-a/release.json": "{}\n" }, parents: [] });
  for (let n = 1; n < 20; n++) await commitTo(bench.gitdir, { files: { [`machines/site-0/m${(n % 4) * 3}.yaml`]: lines((n % 4) * 3, n) } });
  const source = await openBench(bench, "http");
  await source.poll();
  for (let n = 20; n < 26; n++) {
    await commitTo(bench.gitdir, { files: { "machines/site-1/m1.yaml": lines(1, n), [`new/${n}.bin`]: Buffer.alloc(300, n) } });
    await commitTo(bench.gitdir, { branch: "mooring/releases", files: { [`${n}/release.json`]: `{"serial":${n}}\n` } });
    await source.poll();
  }
  const head = (await branchTip(bench.gitdir)) ?? "";
  const side = await commitTo(bench.gitdir, { branch: "side", parents: [first], files: { "side.yaml": lines(99, 1) } });
  const merged = await mergeTo(bench.gitdir, "main", head, side);
  await source.poll();
  await source.checkAdvance(first, merged);
  return join(bench.folder, "copy/current");
}

test("what our copy holds after thin packs, deltas and shallow fetches is what isomorphic-git reads there, byte for byte", async (t) => {
  for (const protocol of [2, 0] as const) {
    const bench = await makeBench(t);
    if (protocol === 0) bench.server.onRequest = async (request) => void delete request.headers["git-protocol"];
    const copy = await followed(bench);
    const packs = fs.readdirSync(join(copy, "objects/pack")).filter((name) => name.endsWith(".idx"));
    const listed = await Promise.all(packs.map((name) => git(copy, "verify-pack", "-v", join(copy, "objects/pack", name))));
    assert.match(listed.join("\n"), /^chain length = 1:/m); // or there would be no delta to read
    const all = (await git(copy, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")).split("\n");
    assert.ok(all.length > 80, String(all.length));
    const ours = new Objects(copy);
    const cache = {};
    for (const [oid = "", type = ""] of all.map((entry) => entry.split(" "))) {
      const theirs = await isogit.readObject({ fs, gitdir: copy, oid, format: "content", cache });
      const bytes = Buffer.from(theirs.object as Uint8Array);
      assert.equal(theirs.type, type);
      assert.equal(hashObject(type, bytes), oid);
      assert.ok(bytes.equals(ours.lookup(oid)?.bytes ?? Buffer.from("missing")), oid);
      if (type !== "tree") continue;
      const { tree } = await isogit.readTree({ fs, gitdir: copy, oid, cache });
      const entries = tree.map(({ mode, path, oid: id }) => [mode.replace(/^0/, ""), path, id].join(" ")).toSorted();
      assert.deepEqual(entries, (await ours.tree(oid)).map(({ mode, name, oid: id }) => [mode, name, id].join(" ")).toSorted());
    }
  }
});

type Remote = {
  readonly gitdir: string;
  readonly url: string;
  readonly cloneUrl: string;
  readonly http: HttpClient;
  readonly access: Partial<PushCommit>;
};

async function remoteOf(t: TestContext, kind: "http" | "ssh"): Promise<Remote & { readonly folder: string }> {
  if (kind === "http") {
    const bench = await makeBench(t);
    const url = bench.server.url("fleet.git");
    return { folder: bench.folder, gitdir: bench.gitdir, url, cloneUrl: url, http: web, access: {} };
  }
  const bench = await makeSshBench(t);
  const { http, url } = await isogitOverSsh(t, bench);
  return { folder: bench.folder, gitdir: bench.gitdir, url: bench.url(bench.gitdir), cloneUrl: url, http, access: await bench.access() };
}

for (const kind of ["http", "ssh"] as const) {
  test(`${kind}: what we push is cloned by isomorphic-git, with every byte and the history before it`, async (t) => {
    const { folder, gitdir, url, cloneUrl, http, access } = await remoteOf(t, kind);
    const before = await commitTo(gitdir, {
      files: { "a.yaml": lines(1, 0), "deep/er/b.yaml": "b\n", "run.sh": { mode: "100755", content: "#!/bin/sh\n" } },
    });
    const edits = new Map<string, Uint8Array | null>([
      ["a.yaml", Buffer.from(lines(1, 7))],
      ["deep/er/b.yaml", null],
      ["deep/new.age", Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 193) & 255))],
    ]);
    const message = "secrets: a new version\n\nof grüße";
    const pushed = await pushCommit({ ...access, url, branch: "main", build: () => edits, message, author: AUTHOR }, PUSH_DEPS);
    const clone = join(folder, "clone.git");
    await isogit.clone({
      fs,
      http,
      gitdir: clone,
      dir: clone,
      url: cloneUrl,
      ref: "main",
      singleBranch: true,
      noCheckout: true,
      noTags: true,
    });
    assert.equal(await isogit.resolveRef({ fs, gitdir: clone, ref: "refs/heads/main" }), pushed);
    const log = await isogit.log({ fs, gitdir: clone, ref: "refs/heads/main", depth: 9 });
    assert.deepEqual(
      log.map(({ oid }) => oid),
      [pushed, before],
    );
    assert.equal(log[0]?.commit.message, `${message}\n`);
    const files = (await git(gitdir, "ls-tree", "-r", "--format=%(objectmode) %(path)", "main")).split("\n");
    assert.deepEqual(files, ["100644 a.yaml", "100644 deep/new.age", "100755 run.sh"]);
    for (const [path, bytes] of edits) {
      if (bytes === null) continue;
      const { blob } = await isogit.readBlob({ fs, gitdir: clone, oid: pushed, filepath: path });
      assert.ok(Buffer.from(blob).equals(bytes), path);
      assert.deepEqual(await gitBytes(gitdir, ["cat-file", "blob", `main:${path}`], ""), Buffer.from(bytes));
    }
    assert.equal(await isogit.isDescendent({ fs, gitdir: clone, oid: pushed, ancestor: before, depth: NO_DEPTH }), true);
  });
}

test("a commit that isomorphic-git made with our signature counts for git and for us, whatever its message", async (t) => {
  const { folder, gitdir } = await makeBench(t);
  const ann = fileSigner();
  const allowed = `ann ${ann.key}\n`;
  fs.writeFileSync(join(folder, "allowed"), allowed);
  await git(gitdir, "config", "gpg.ssh.allowedSignersFile", join(folder, "allowed"));
  const messages = ["secrets: v2", "\n\n two  \r\nlines\r\n\n\nof grüße 🦞\0 \n\n", "-----END PGP SIGNATURE-----\n\nx", "tree 1\nparent 2"];
  for (const [n, message] of messages.entries()) {
    const sign = async (payload: Uint8Array): Promise<string> => ann.sign(Buffer.from(payload), "git");
    const author = { name: " A\r\n<n>n ", email: "ann@example.net" };
    const build = () => new Map([["a", Buffer.from(String(n))]]);
    const made = await pushCommit({ url: gitdir, branch: "main", build, message, author, sign }, PUSH_DEPS);
    await git(gitdir, "verify-commit", made);
    const authors = { allowed: parseAllowedSigners(allowed), openpgp: null, serial: 1, now: PUSH_DEPS.now() };
    assert.equal(await signatureRefusal(await new Objects(gitdir).raw(made, "commit"), authors), null);
  }
  await git(gitdir, "fsck", "--strict", "--full");
});

test("isomorphic-git is loaded by who pushes, and before that by nobody: no command waits for it", async () => {
  const script = `
    const { createRequire } = await import("node:module");
    const { cache } = createRequire(import.meta.url);
    const isLoaded = () => Object.keys(cache).some((path) => path.includes("/isomorphic-git/"));
    await import("#reconciler/source/index.ts");
    for (const path of ["commands/program", "validate", "review/plan", "release/push"]) await import("#cli/" + path + ".ts");
    const before = isLoaded();
    await import("isomorphic-git");
    console.log(before, isLoaded());`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: join(import.meta.dirname, "../..") });
  assert.equal(stdout, "false true\n");
});
