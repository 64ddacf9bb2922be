/** Revocations and the command line itself. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { targetOf } from "#cli/revoke.ts";
import { checkNode } from "#cli/version.ts";
import { parseStatement } from "#proof/release/index.ts";
import { git } from "#test/support/repo.ts";
import { CliBench, latest } from "./bench.ts";

const SECRET = "secret://team/greeting";

test("one named person revokes a secret: the hub is told first, then the branch; a release that names it lifts it", async (t) => {
  const bench = await CliBench.make(t);
  const trustRoot = await bench.releaseAll();
  const hub = join(bench.folder, "hub.sock");
  const told: string[] = [];
  const server = createServer((req, res) => {
    void (async () => {
      let body = "";
      for await (const part of req) body += String(part);
      told.push(`${await git(bench.gitdir, "ls-tree", "--name-only", "mooring/releases")} ${body.slice(0, 9)}`);
      const machines = [{ name: "mini-01", outcome: "accepted" }];
      res.writeHead(202).end(JSON.stringify({ digest: `sha256:${"0".repeat(64)}`, vault: "accepted", machines }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(hub, resolve));
  t.after(() => server.close());
  const ran = await bench.revoke("ops@acme.dev", SECRET, { trustRoot, hub });
  assert.match(ran.text, /^refused on 1\/1\nrevoked secret:\/\/team\/greeting; on mooring\/releases as statements\/[0-9a-f]{8}\n$/);
  assert.equal(told.length, 1);
  assert.doesNotMatch(told[0]!, /statements/); // not pushed yet when the hub heard of it
  const folder = /statements\/[0-9a-f]{8}/.exec(ran.text)![0];
  const document = await git(bench.gitdir, "show", `mooring/releases:${folder}/action.json`);
  assert.deepEqual(parseStatement(Buffer.from(document)).target, { kind: "secret", name: SECRET });
  assert.match(await git(bench.gitdir, "show", `mooring/releases:${folder}/ops@acme.dev.sig`), /SSH SIGNATURE/);

  const { digestOf } = await import("#base/canonical/index.ts");
  const lift = digestOf(document);
  const lifted = await bench.release("a@acme.dev", { lifts: [lift] });
  assert.match(lifted.text, new RegExp(`lifts the revocation ${lift}`));
  assert.match(lifted.text, /release 2 covers main: complete/);
  await bench.release("a@acme.dev", { renew: true });
  assert.deepEqual((await latest(bench)).lifts, [lift]); // later releases go on naming it
});

test("who may not revoke, what can't be revoked, and a fleet that has released nothing", async (t) => {
  const bench = await CliBench.make(t, "local");
  await assert.rejects(bench.revoke("ops@acme.dev", SECRET), { code: "RELEASE_MISSING" });
  const trustRoot = await bench.releaseAll();
  await assert.rejects(bench.revoke("a@acme.dev", SECRET, { trustRoot }), { code: "SIGNER_UNKNOWN" });
  const key = bench.people.get("a@acme.dev")!.keyFile;
  await assert.rejects(bench.revoke("ops@acme.dev", SECRET, { trustRoot, key }), { code: "SIGNER_KEY_MISMATCH" });
  await assert.rejects(bench.revoke("ops@acme.dev", "signer/eve", { trustRoot }), { code: "NOT_YET" });
  for (const bad of ["", "secret://x", "plugin/", "plugin/a/b", "machine/UP", "grant/x"])
    assert.throws(() => targetOf(bad), { code: "USAGE" }, bad);
  assert.deepEqual(targetOf("plugin/greeter"), { kind: "plugin", name: "greeter" });
});

test("a hub that does not answer does not keep a revocation from the branch, and is reported", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  const hub = join(bench.folder, "nobody.sock");
  await assert.rejects(bench.revoke("ops@acme.dev", "plugin/greeter", { trustRoot, hub }), { code: "HUB_UNREACHABLE" });
  assert.match(await git(bench.gitdir, "ls-tree", "-r", "--name-only", "mooring/releases"), /statements\/\w+\/action\.json/);
});

test("a remembered trust section serves while the git server is away; the hub still gets it", async (t) => {
  const bench = await CliBench.make(t);
  await bench.releaseAll();
  await bench.plan({ cache: bench.options("ops@acme.dev").cache, trustRoot: await bench.root() }); // ops has looked once
  await bench.server!.close();
  let told = 0;
  const hub = join(bench.folder, "hub.sock");
  const server = createServer((req, res) => {
    told += 1;
    req.resume();
    res.writeHead(202).end(JSON.stringify({ digest: `sha256:${"0".repeat(64)}`, vault: "none", machines: [] }));
  });
  await new Promise<void>((resolve) => server.listen(hub, resolve));
  t.after(() => server.close());
  await assert.rejects(bench.revoke("ops@acme.dev", "machine/mini-01", { hub }), { code: "SOURCE_UNREACHABLE" });
  assert.equal(told, 1);
});

test("the program: version, help, unknown words, what is not built", async () => {
  assert.match((await mooring("--version")).out, /^\d+\.\d+\.\d+\n$/);
  assert.deepEqual([(await mooring("release", "--help")).code, (await mooring()).code], [0, 1]);
  for (const args of [["frob"], ["plan", "--soruce", "x"], ["release", "--source", "/x"], ["trust-root"], ["run"]]) {
    const { code, err } = await mooring(...args);
    assert.equal(code, 1);
    assert.match(err, /^USAGE: mooring/);
  }
  for (const args of [["dashboard"], ["plugin", "bump"], ["secret-ref", "rotate"], ["vault"]]) {
    const { code, err } = await mooring(...args);
    assert.deepEqual([code, err.split(":")[0]], [1, "NOT_YET"]);
  }
});

test("the program plans a local repository and says so with its exit code", async (t) => {
  const bench = await CliBench.make(t, "local");
  const ran = await mooring("plan", "--source", bench.gitdir, "--cache", join(bench.folder, "c"));
  assert.equal(ran.code, 2, ran.err);
  assert.match(ran.out, /release 1 for main needs:/);
  const json = await mooring("plan", "--source", bench.gitdir, "--cache", join(bench.folder, "c"), "-o", "json");
  const plan = JSON.parse(json.out) as { readonly release: { readonly covers: boolean }; readonly roles: readonly string[] };
  assert.deepEqual([plan.release.covers, plan.roles], [false, ["root", "release", "access", "secrets"]]);
});

test("an older Node is refused", () => {
  assert.throws(() => checkNode("20.19.0"), { code: "NODE_VERSION" });
  checkNode(process.versions.node);
});

function mooring(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const program = join(import.meta.dirname, "../../bin/mooring");
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 60_000 }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });
}
