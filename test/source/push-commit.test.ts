import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { type Parent, pushCommit, type PushCommit, type TreeEdits } from "#reconciler/source/index.ts";
import { branchTip, commitTo, git, type FileContent } from "#test/support/repo.ts";
import { AUTHOR, type Bench, makeBench, PUSH_DEPS } from "./support.ts";
import { makeSshBench } from "./ssh-bench.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const DEPS = { ...PUSH_DEPS, random: Math.random };

type Build = PushCommit["build"];

const push = (url: string, build: Build, more: Partial<PushCommit> = {}): Promise<string> =>
  pushCommit({ url, branch: "main", build, message: "secrets: a new version", author: AUTHOR, ...more }, DEPS);

const put =
  (path: string, text: string): Build =>
  () =>
    new Map([[path, bytes(text)]]);

/** What the vault's push is: it reads a document, writes it anew with one version more, and adds the version's file. */
async function addVersion({ read }: Parent, by: string): Promise<TreeEdits> {
  const text = Buffer.from((await read("secrets/team/openai.yaml")) ?? []).toString();
  if (text.includes(by)) return new Map();
  const next = (text.match(/^v/gm)?.length ?? 0) + 1;
  return new Map([
    ["secrets/team/openai.yaml", bytes(`${text}v${next}: ${by}\n`)],
    [`secrets/team/openai.v${next}.age`, bytes(`sealed by ${by}`)],
  ]);
}

const START = {
  "secrets/team/openai.yaml": "v1: start\n",
  "secrets/team/openai.v1.age": "sealed",
  "tool.sh": { mode: "100755", content: "#!/bin/sh\n" },
  "old/a": "x",
} as const;

async function setUp(
  t: TestContext,
  kind: "http" | "local" | "ssh",
): Promise<{ gitdir: string; url: string; access: Partial<PushCommit> }> {
  if (kind === "ssh") {
    const bench = await makeSshBench(t);
    return { gitdir: bench.gitdir, url: bench.url(bench.gitdir), access: await bench.access() };
  }
  const bench = await makeBench(t);
  return { gitdir: bench.gitdir, url: kind === "http" ? bench.server.url("fleet.git") : bench.gitdir, access: {} };
}

for (const kind of ["local", "http", "ssh"] as const) {
  test(`${kind}: files are changed, added and taken away on top of the newest commit; the rest stays as it is`, async (t) => {
    const { gitdir, url, access } = await setUp(t, kind);
    await commitTo(gitdir, { files: START });
    const parent = await commitTo(gitdir, { files: { "README.md": "hello\n" } });
    const made = await push(
      url,
      async ({ commit, read, holds }) => {
        assert.equal(commit, parent);
        assert.equal(await read("nothing/here"), null);
        assert.equal(await holds("README.md", bytes("hello\n")), true);
        assert.equal(await holds("README.md", bytes("other")), false);
        assert.equal(await holds("nothing", bytes("")), null);
        return new Map([
          ["tool.sh", bytes("#!/bin/sh\necho\n")],
          ["old/a", null],
          ["gone", null],
          ["new/b", bytes("")],
        ]);
      },
      access,
    );
    assert.equal(await branchTip(gitdir), made);
    assert.equal(await git(gitdir, "rev-parse", `${made}^`), parent);
    const modes = (await git(gitdir, "ls-tree", "-r", made)).split("\n").map((line) => line.replace(/ blob \w+/, ""));
    assert.deepEqual(modes, [
      "100644\tREADME.md",
      "100644\tnew/b",
      "100644\tsecrets/team/openai.v1.age",
      "100644\tsecrets/team/openai.yaml",
      "100755\ttool.sh",
    ]);
    assert.equal(await git(gitdir, "log", "-1", "--format=%an <%ae> %s", made), "Ann <ann@example.net> secrets: a new version");
    await git(gitdir, "fsck", "--strict", "--full");
    assert.equal(await push(url, () => new Map(), access), made);
  });

  test(`${kind}: pushers who change the same file at once all land, each on top of the other`, async (t) => {
    const { gitdir, url, access } = await setUp(t, kind);
    await commitTo(gitdir, { files: START });
    const names = ["ann", "bob", "cem"];
    await Promise.all(names.map((by) => push(url, (parent) => addVersion(parent, by), access)));
    const text = await git(gitdir, "show", "main:secrets/team/openai.yaml");
    assert.deepEqual(text.match(/^v\d/gm), ["v1", "v2", "v3", "v4"]);
    for (const by of names) assert.match(text, new RegExp(by));
    assert.equal(await git(gitdir, "rev-list", "--count", "main"), "4");
    assert.equal((await git(gitdir, "ls-tree", "--name-only", "main:secrets/team")).split("\n").length, 5);
  });
}

test("the last file may go, and one may come to a branch without any; what else lies there is not touched", async (t) => {
  const bench = await makeBench(t);
  const url = bench.server.url("fleet.git");
  for (const branch of ["empty", "other"]) {
    const link = { mode: "120000", content: "a" } as const;
    await commitTo(bench.gitdir, {
      branch,
      files: branch === "empty" ? { a: "1" } : { a: "1", "ä/🦞": "2", "ä/\uffee": "3", "d/l": link },
    });
    const before = await git(bench.gitdir, "ls-tree", "-r", branch);
    const gone = await push(url, () => new Map([["a", null]]), { branch });
    assert.equal(await git(bench.gitdir, "ls-tree", "-r", gone), before.split("\n").slice(1).join("\n"));
    const back = await push(url, put("a", "1"), { branch });
    assert.equal(await git(bench.gitdir, "ls-tree", "-r", back), before);
  }
  await git(bench.gitdir, "fsck", "--strict", "--full");
});

test("a hook's no is told once and not tried again; nothing moved", async (t) => {
  const bench = await makeBench(t);
  const before = await commitTo(bench.gitdir, { files: START });
  writeFileSync(join(bench.gitdir, "hooks/update"), "#!/bin/sh\necho never >&2\nexit 1\n", { mode: 0o755 });
  let builds = 0;
  const build: Build = () => {
    builds += 1;
    return new Map([["x", bytes("y")]]);
  };
  await assert.rejects(push(bench.server.url("fleet.git"), build), { code: "SOURCE_PUSH_REFUSED" });
  assert.equal(builds, 1);
  assert.equal(await branchTip(bench.gitdir), before);
  await git(bench.gitdir, "config", "http.receivepack", "false");
  await assert.rejects(push(bench.server.url("fleet.git"), build), { code: "SOURCE_DENIED" });
});

type Fault = (request: http.IncomingMessage, response: http.ServerResponse, onward: http.ClientRequest) => void;

/** A way to the bench's server on which the next push goes wrong. */
async function faulty(t: TestContext, bench: Bench, fault: Fault): Promise<string> {
  const inner = new URL(bench.server.url("fleet.git"));
  let isArmed = true;
  const server = http.createServer((request, response) => {
    const { method, url, headers } = request;
    const onward = http.request({ host: inner.hostname, port: inner.port, method, path: url, headers });
    onward.on("error", () => response.destroy());
    if (isArmed && method === "POST" && url?.endsWith("/git-receive-pack") === true) {
      isArmed = false;
      return fault(request, response, onward);
    }
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/fleet.git`;
}

test("a connection cut while the pack goes up moves nothing; the same call again lands it once", async (t) => {
  const bench = await makeBench(t);
  const before = await commitTo(bench.gitdir, { files: START });
  const url = await faulty(t, bench, (request, _response, onward) => {
    request.once("data", (chunk: Buffer) => {
      onward.flushHeaders();
      onward.write(chunk.subarray(0, chunk.length - 10), () => {
        onward.destroy();
        request.destroy();
      });
    });
  });
  await assert.rejects(push(url, put("x", "y")), { code: "SOURCE_UNREACHABLE" });
  assert.equal(await branchTip(bench.gitdir), before);
  await git(bench.gitdir, "fsck", "--strict", "--full");
  await push(url, put("x", "y"));
  assert.equal(await git(bench.gitdir, "rev-list", "--count", "main"), "2");
});

test("a push whose answer is lost counts when it landed, and is built anew on whoever pushed after it", async (t) => {
  for (const isOvertaken of [false, true]) {
    const bench = await makeBench(t);
    await commitTo(bench.gitdir, { files: START });
    const url = await faulty(t, bench, (request, response, onward) => {
      onward.on("response", (answer) => {
        // git moves the branch after its first words: the whole answer is waited for, and lost
        answer.resume().once("end", () => void after());
      });
      const after = async (): Promise<void> => {
        if (isOvertaken) await commitTo(bench.gitdir, { files: { rival: "z" } });
        response.destroy();
      };
      request.pipe(onward);
    });
    const made = await push(url, (parent) => addVersion(parent, "ann"));
    assert.equal(await branchTip(bench.gitdir), made);
    assert.equal(await git(bench.gitdir, "rev-list", "--count", "main"), isOvertaken ? "3" : "2");
    assert.equal((await git(bench.gitdir, "show", "main:secrets/team/openai.yaml")).match(/ann/g)?.length, 1);
  }
});

test("a commit is signed where the fleet asks for it, and git takes it", async (t) => {
  const bench = await makeBench(t);
  await commitTo(bench.gitdir, { files: START });
  let payload = "";
  const sign = async (text: Uint8Array): Promise<string> => {
    payload = Buffer.from(text).toString();
    return "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n";
  };
  const made = await push(bench.server.url("fleet.git"), put("x", "y"), { sign });
  const raw = await git(bench.gitdir, "cat-file", "commit", made);
  assert.match(raw, /\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n\nsecrets/);
  assert.equal(payload, `${raw.replace(/gpgsig (?:.*\n )*.*\n/, "")}\n`);
  await git(bench.gitdir, "fsck", "--strict", "--full");
});

test("paths that are no plain ones, lead through files or onto folders are refused before anything is sent", async (t) => {
  const bench = await makeBench(t);
  const before = await commitTo(bench.gitdir, { files: START });
  for (const path of ["", "/x", "x/", "../x", "a/../b", ".git/config", "a/.GIT/x", "a b", "x\ny", "tool.sh/x", "old", "secrets/team"])
    await assert.rejects(push(bench.server.url("fleet.git"), put(path, "z")), { code: "SOURCE_PATH_TAKEN" }, path);
  const both = new Map([
    ["n", bytes("1")],
    ["n/m", bytes("2")],
  ]);
  await assert.rejects(
    push(bench.gitdir, () => both),
    { code: "SOURCE_PATH_TAKEN" },
  );
  await assert.rejects(
    push(bench.gitdir, () => new Map([...both].reverse())),
    { code: "SOURCE_PATH_TAKEN" },
  );
  assert.equal(await branchTip(bench.gitdir), before);
});

test("any edits give the tree that git gives", async (t) => {
  const bench = await makeBench(t);
  const name = fc.constantFrom("a", "a-b", "a.b", "b", "c", "a0");
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
  const files = fc.dictionary(path, fc.string({ maxLength: 3 }), { maxKeys: 8 });
  const isTree = (one: Record<string, unknown>): boolean =>
    Object.keys(one).every((key) => !Object.keys(one).some((other) => other.startsWith(`${key}/`)));
  await fc.assert(
    fc.asyncProperty(files.filter(isTree), files.filter(isTree), fc.array(fc.nat(7), { maxLength: 3 }), async (before, after, gone) => {
      const edits = new Map<string, Uint8Array | null>(Object.entries(after).map(([key, text]) => [key, bytes(text)]));
      for (const at of gone) {
        const key = Object.keys(before)[at];
        if (key !== undefined && !edits.has(key)) edits.set(key, null);
      }
      const left: Record<string, FileContent | null> = { ...before, keep: "k" };
      for (const [key, value] of edits) if (value === null) delete left[key];
      fc.pre(
        isTree({ ...left, ...after }) && isTree({ ...before, ...after, ...Object.fromEntries([...edits.keys()].map((key) => [key, 0])) }),
      );
      await commitTo(bench.gitdir, { branch: "one", files: { ...before, keep: "k" }, parents: [] });
      const wanted = await commitTo(bench.gitdir, { branch: "two", files: { ...left, ...after }, parents: [] });
      const made = await push(bench.gitdir, () => edits, { branch: "one" });
      assert.equal(await git(bench.gitdir, "rev-parse", `${made}^{tree}`), await git(bench.gitdir, "rev-parse", `${wanted}^{tree}`));
    }),
    { numRuns: 25 },
  );
});

// Once `mooring release` ended six seconds after its push: the answer's last packet was never read, so its connection stayed in use.
test("http: a push leaves no connection behind", async (t) => {
  const { gitdir, url } = await setUp(t, "http");
  await commitTo(gitdir, { files: START });
  const before = connections();
  await push(url, put("README.md", "hello\n"));
  const soon = performance.now() + 3_000; // the server lets go of what is idle after five
  while (connections() > before && performance.now() < soon) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(connections(), before);
});

function connections(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
}
