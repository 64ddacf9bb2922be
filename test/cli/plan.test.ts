/** `mooring plan` on checkouts as people and CI have them: real git, real signatures, no network. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { planCheckout, reviewCheckout, type Review } from "#cli/review/index.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { commitTo, GIT_ENV, git, mergeTo } from "#test/support/repo.ts";
import { CliBench } from "./bench.ts";

const PLUGIN = "plugins/greeter.yaml";
const GRANT = "grants/greeter.yaml";

type Options = Parameters<typeof planCheckout>[0];

const options = (repo: string, more: Partial<Options> = {}): Options => ({
  repo,
  base: "origin/main",
  head: "worktree",
  pr: null,
  trustRoot: null,
  live: null,
  output: "text",
  check: null,
  ...more,
});

const review = (bench: CliBench, repo: string, more: Partial<Options> = {}): Promise<Review> =>
  reviewCheckout(options(repo, more), bench.deps);

async function run(bench: CliBench, repo: string, more: Partial<Options> = {}): Promise<{ readonly code: number; readonly text: string }> {
  return bench.run((io) => planCheckout(options(repo, more), io.out, bench.deps));
}

/** `git clone` with these flags; gives back its folder. */
async function clone(bench: CliBench, name: string, ...flags: readonly string[]): Promise<string> {
  const dir = join(bench.folder, name);
  await gitIn(bench.folder, "clone", "--quiet", ...flags, `file://${bench.gitdir}`, dir);
  return dir;
}

function gitIn(cwd: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      "git",
      [...args],
      { cwd, env: { ...GIT_ENV, GIT_CONFIG_COUNT: "2", GIT_CONFIG_KEY_1: "protocol.file.allow", GIT_CONFIG_VALUE_1: "always" } },
      (err, out, complaint) => (err === null ? resolve(out.trim()) : reject(new Error(`git ${args.join(" ")}: ${complaint}`))),
    );
  });
}

const steps = ({ plan }: Review): readonly string[] =>
  [...plan.steps].map(([machine, own]) => `${machine} ${own.map(({ key, verb }) => `${verb} ${key}`).join(", ")}`);
const warmer = (bench: CliBench): Record<string, string> => ({ [PLUGIN]: `${bench.tree[PLUGIN]!}  config: { tone: warm }\n` });
const CHANGED = ["mini-01 change plugin/greeter", "mini-02 change plugin/greeter", "mini-03 change plugin/greeter"];

test("a pull request's branch is compared with main, from a packed clone, by any name of a revision", async (t) => {
  const bench = await CliBench.make(t, "local");
  const head = await bench.branch("warmer", warmer(bench));
  await git(bench.gitdir, "tag", "-a", "-m", "v1", "v1", head);
  await git(bench.gitdir, "gc", "--quiet");
  const dir = await clone(bench, "c");
  for (const name of ["origin/warmer", "warmer", head, head.slice(0, 9), "v1", "refs/remotes/origin/warmer", "v1~0"])
    assert.deepEqual(steps(await review(bench, dir, { head: name })), CHANGED, name);
  assert.deepEqual(steps(await review(bench, dir, { head: "warmer", base: "warmer^" })), CHANGED);
  assert.equal((await run(bench, dir, { head: "warmer" })).code, 2);
  assert.deepEqual([(await run(bench, dir, { head: "main" })).code, steps(await review(bench, dir, { head: "v1", base: "v1" }))], [0, []]);
  for (const name of ["nobody", "v1~9", "0".repeat(40), "../HEAD", "main..warmer", "-x"])
    await assert.rejects(review(bench, dir, { head: name }), { code: "REVISION_MISSING" }, name);
  await assert.rejects(review(bench, bench.folder), { code: "CHECKOUT_MISSING" });
});

test("a tag that is called like the branch is not taken for it: whoever may push tags chooses no base", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.branch("warm", warmer(bench));
  await git(bench.gitdir, "tag", "origin/main", "warm");
  const dir = await clone(bench, "c");
  await assert.rejects(review(bench, dir, { head: "origin/warm" }), { code: "REVISION_MISSING", message: /origin\/main/ });
  assert.deepEqual(steps(await review(bench, dir, { base: "refs/remotes/origin/main", head: "origin/warm" })), CHANGED);
  await git(bench.gitdir, "tag", "warm", "warm");
  await gitIn(dir, "fetch", "--quiet", "--tags");
  assert.equal((await review(bench, dir, { base: "refs/remotes/origin/main", head: "warm" })).fleet, "acme"); // both are the same commit
});

test("what main gained meanwhile is no deletion: a branch is shown as merged, and a conflict names its files", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.branch("behind", warmer(bench));
  await bench.commit({
    "machines/mini-04.yaml": null,
    "README.md": "later\n",
    [GRANT]: bench.tree[GRANT]!.replace("2028-01-01", "2029-01-01"),
  });
  const dir = await clone(bench, "c");
  assert.deepEqual(steps(await review(bench, dir, { head: "behind" })), CHANGED);
  await commitTo(bench.gitdir, { files: { [PLUGIN]: `${bench.tree[PLUGIN]!}  config: { tone: cold }\n` } });
  await gitIn(dir, "fetch", "--quiet");
  await assert.rejects(review(bench, dir, { head: "behind" }), { code: "MERGE_CONFLICT", message: /plugins\/greeter\.yaml/ });
});

test("a main that can't be read hides nothing of what repairs it: the last readable one is compared, and its policies judge", async (t) => {
  const bench = await CliBench.make(t, "local");
  const policy = `apiVersion: mooring/v1\nkind: Policy\nmetadata: { name: short }\nspec:
  match: { kinds: [SecretGrant] }\n  validations: [{ expression: object.spec.expires < '2029' }]\n`;
  const good = await bench.commit({ "policies/short.yaml": policy });
  await bench.commit({ [PLUGIN]: bench.tree[PLUGIN]!.replace("verify:", "verfiy:") });
  await bench.commit({ "README.md": "later\n" });
  await bench.branch("repair", {
    [PLUGIN]: bench.tree[PLUGIN]!.replace("verfiy:", "verify:"),
    [GRANT]: bench.tree[GRANT]!.replace("2028-01-01", "2040-01-01"),
    "policies/short.yaml": null,
    "machines/mini-03.yaml": null,
  });
  const found = await review(bench, await clone(bench, "c"), { head: "repair" });
  assert.deepEqual(
    found.deletions.map(({ kind, name }) => `${kind} ${name}`),
    ["Machine mini-03", "Policy short"],
  );
  assert.deepEqual(
    found.findings.map(({ code, level, file }) => `${level} ${code === "POLICY_DENIED" ? code : file}`),
    ["error POLICY_DENIED", `warning ${PLUGIN}`],
  );
  assert.deepEqual([found.base, found.policies.from], [good, "base"]);
});

test("the worktree counts with what git does not know yet, against where its branch left main", async (t) => {
  const bench = await CliBench.make(t, "local");
  const dir = await clone(bench, "c");
  await bench.commit({ "README.md": "main goes on\n", [GRANT]: bench.tree[GRANT]!.replace("2028-01-01", "2029-01-01") });
  await gitIn(dir, "fetch", "--quiet");
  assert.deepEqual(steps(await review(bench, dir)), []);
  writeFileSync(join(dir, "machines/mini-04.yaml"), "kind: Machine\n"); // untracked
  const broken = await review(bench, dir);
  assert.equal(broken.findings[0]?.file, "machines/mini-04.yaml");
  assert.equal((await run(bench, dir)).code, 1);
  rmSync(join(dir, "machines/mini-04.yaml"));
  rmSync(join(dir, "machines/mini-03.yaml"));
  const { deletions, head, base } = await review(bench, join(dir, "plugins"));
  assert.deepEqual(
    [deletions.map(({ kind, name, at }) => `${kind} ${name} ${at.file}:${at.line}`), head, base],
    [["Machine mini-03 machines/mini-03.yaml:4"], "worktree", await gitIn(dir, "rev-parse", "HEAD")],
  );
});

test("linked worktrees, detached heads and borrowed objects read like any checkout", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.branch("warmer", warmer(bench));
  const dir = await clone(bench, "c");
  await gitIn(dir, "worktree", "add", "--quiet", "--detach", join(bench.folder, "linked"), "origin/warmer");
  assert.deepEqual(steps(await review(bench, join(bench.folder, "linked"), { head: "HEAD" })), CHANGED);
  assert.deepEqual(steps(await review(bench, join(bench.folder, "linked"))), CHANGED);
  await gitIn(dir, "checkout", "--quiet", "--detach", "origin/warmer");
  assert.deepEqual(steps(await review(bench, dir, { head: "HEAD" })), CHANGED);
  const shared = join(bench.folder, "shared");
  await gitIn(bench.folder, "clone", "--quiet", "--shared", bench.gitdir, shared);
  assert.deepEqual(steps(await review(bench, shared, { head: "warmer" })), CHANGED);
  assert.deepEqual(steps(await review(bench, bench.gitdir, { base: "main", head: "warmer" })), CHANGED);
  await assert.rejects(review(bench, bench.gitdir, { base: "main" }), { code: "CHECKOUT_MISSING" });
});

test("a CI checkout of the merge commit works at depth 2, and says what to fetch at depth 1", async (t) => {
  const bench = await CliBench.make(t, "local");
  const head = await bench.branch("warmer", warmer(bench));
  const main = await bench.commit({ "README.md": "later\n" });
  await git(bench.gitdir, "update-ref", "refs/heads/pull", main);
  const merge = await mergeTo(bench.gitdir, "pull", main, head);
  const two = await clone(bench, "two", "--depth=2", "--branch=pull");
  assert.deepEqual(steps(await review(bench, two, { base: main, head: "HEAD" })), CHANGED);
  assert.deepEqual(steps(await review(bench, two, { base: "HEAD^1", head: "HEAD" })), CHANGED);
  const one = await clone(bench, "one", "--depth=1", "--branch=pull");
  const missing = (err: unknown): boolean => {
    const { code, fix } = err as { readonly code: string; readonly fix: string };
    return code === "REVISION_MISSING" && /fetch-depth: 0/.test(fix);
  };
  await assert.rejects(review(bench, one, { base: main, head: "HEAD" }), missing);
  await gitIn(one, "fetch", "--quiet", "--depth=1", "origin", main);
  assert.deepEqual(steps(await review(bench, one, { base: main, head: "HEAD" })), CHANGED);
  await gitIn(one, "fetch", "--quiet", "--depth=1", "origin", head);
  const cut = await review(bench, one, { base: main, head });
  assert.deepEqual([steps(cut), cut.findings.map(({ code, level }) => `${level} ${code}`)], [CHANGED, ["notice REVISION_MISSING"]]);
  assert.equal((await review(bench, one, { base: main, head: merge })).findings.length, 0);
});

test("who has signed comes from the releases that the clone has; a merge queue asks the same of the merged commit", async (t) => {
  const bench = await CliBench.make(t, "local");
  const trustRoot = await bench.releaseAll();
  const grant = edited(bench.tree, GRANT, "  expires: 2028-01-01\n", "");
  const head = await bench.branch("longer", { [GRANT]: grant[GRANT]! });
  const dir = await clone(bench, "c");
  const open = await review(bench, dir, { head: "longer", pr: 42, trustRoot });
  assert.deepEqual(open.release, { at: "open", serial: null, inForce: 1, verified: true });
  assert.deepEqual(open.roles, [
    {
      role: "release",
      because: [{ file: GRANT, line: 9, col: 14 }],
      signed: [],
      missing: { need: 1, anyOf: ["a@acme.dev", "b@acme.dev"], touch: false },
    },
    {
      role: "access",
      because: [{ file: GRANT, line: 9, col: 14 }],
      signed: [],
      missing: { need: 1, anyOf: ["security@acme.dev"], touch: false },
    },
  ]);
  const asked = await run(bench, dir, { head: "longer", pr: 42 });
  assert.match(
    asked.text,
    /mooring\/roles pending: 3 machines · waiting for 2 signatures\nSign: mooring approve 42\nMerging first is safe: machines stay on release 1\n$/,
  );
  assert.deepEqual(await run(bench, dir, { head: "longer", check: "roles" }), {
    code: 2,
    text: "mooring/roles pending: 3 machines · waiting for 2 signatures\n",
  });

  await bench.approve("a@acme.dev", "longer", { trustRoot });
  await gitIn(dir, "fetch", "--quiet");
  const half = await review(bench, dir, { head: "longer" });
  assert.deepEqual(
    half.roles.map(({ role, signed, missing }) => [role, signed, missing?.need ?? 0]),
    [
      ["release", ["a@acme.dev"], 0],
      ["access", [], 1],
    ],
  );
  assert.deepEqual([half.release.serial, half.release.verified], [2, false]);
  await bench.approve("security@acme.dev", "longer", { trustRoot });
  await gitIn(dir, "fetch", "--quiet");
  const main = await git(bench.gitdir, "rev-parse", "main");
  await git(bench.gitdir, "update-ref", "refs/heads/queue", main);
  await mergeTo(bench.gitdir, "queue", main, head);
  await gitIn(dir, "fetch", "--quiet");
  for (const name of ["longer", "queue"])
    assert.deepEqual(await run(bench, dir, { head: name, check: "roles", trustRoot }), {
      code: 0,
      text: "mooring/roles success: 3 machines · release 2 covers it\n",
    });
  assert.equal((await review(bench, dir, { head: "longer" })).release.inForce, 1);
  await bench.commit({ "README.md": "typo\n" });
  await gitIn(dir, "fetch", "--quiet");
  assert.deepEqual((await review(bench, dir, { base: "origin/main^", head: "origin/main" })).release.at, "covered");
});

test("a change that main does not need signed has nothing to sign, whatever main waits for", async (t) => {
  const bench = await CliBench.make(t, "local");
  const dir = await clone(bench, "c");
  writeFileSync(join(dir, "README.md"), "typo\n");
  const { release, roles } = await review(bench, dir);
  assert.deepEqual([release.at, roles], ["none", []]);
  assert.equal((await run(bench, dir, { check: "roles" })).code, 0);
});

test("repositories of a form that we do not read are refused with the way out", async (t) => {
  const bench = await CliBench.make(t, "local");
  for (const extension of ["refStorage = reftable", "objectFormat = sha256"]) {
    const dir = await clone(bench, extension.slice(0, 6));
    mkdirSync(join(dir, "sub"));
    writeFileSync(join(dir, ".git/config"), `[extensions]\n\t${extension}\n`, { flag: "a" });
    await assert.rejects(review(bench, join(dir, "sub")), { code: "NOT_YET" }, extension);
  }
});

test("--live adds what the hub last saw", async (t) => {
  const bench = await CliBench.make(t, "local");
  const dir = await clone(bench, "c");
  const socket = join(bench.folder, "hub.sock");
  const same = {
    mode: "manage",
    conditions: [],
    generation: 1,
    observedGeneration: 1,
    root: null,
    desiredRoot: null,
    plugins: [],
    error: null,
  };
  const seen = { lastAppliedRevision: null, lastAttemptedRevision: null, release: 1, lease: null };
  const machine = (name: string, reachable: boolean, inSync: boolean, lastSeen: string | null) => ({
    name,
    reachable,
    inSync,
    lastSeen,
    ...same,
    ...seen,
  });
  const items = [
    machine("mini-02", true, false, "2026-11-25T09:59:00.000Z"),
    machine("mini-01", true, true, "2026-11-25T09:58:00.000Z"),
    machine("mini-03", false, false, null),
  ];
  const hub = createServer((_req, res) => res.end(JSON.stringify({ items }))).listen(socket);
  t.after(() => hub.close());
  assert.deepEqual((await review(bench, dir, { live: socket })).live, {
    observedAt: "2026-11-25T09:58:00.000Z",
    inSync: 1,
    drifted: ["mini-02"],
    offline: ["mini-03"],
  });
  await assert.rejects(review(bench, dir, { live: join(bench.folder, "nobody.sock") }), { code: "HUB_UNREACHABLE" });
});
