/** When `mooring/roles` is green, and when it must not be: on real clones with real signatures. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { planCheckout, reviewCheckout, type Review } from "#cli/review/index.ts";
import { policyText } from "#test/policy/support.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { GIT_ENV } from "#test/support/repo.ts";
import { CliBench } from "./bench.ts";

const GRANT = "grants/greeter.yaml";

type Clone = {
  readonly review: (head: string, base?: string) => Promise<Review>;
  /** `mooring plan --check roles`, after a fetch: exit code and line. */
  readonly check: (head: string, base?: string) => Promise<string>;
};

function cloneOf(bench: CliBench): Clone {
  const repo = join(bench.folder, "clone");
  const git = (...args: readonly string[]): string => execFileSync("git", [...args], { env: GIT_ENV, encoding: "utf8" });
  git("clone", "--quiet", bench.gitdir, repo);
  const options = (head: string, base = "origin/main") => ({ repo, base, head, pr: null, trustRoot: null, live: null });
  return {
    review(head, base) {
      git("-C", repo, "fetch", "--quiet");
      return reviewCheckout(options(head, base), bench.deps);
    },
    async check(head, base) {
      git("-C", repo, "fetch", "--quiet");
      const form = { output: "text", check: "roles" } as const;
      const { code, text } = await bench.run((io) => planCheckout({ ...options(head, base), ...form }, io.out, bench.deps));
      return `${code} ${text.trim()}`;
    },
  };
}

async function released(t: TestContext): Promise<CliBench> {
  const bench = await CliBench.make(t, "local");
  await bench.releaseAll();
  return bench;
}

const longer = (bench: CliBench): Record<string, string> => ({
  [GRANT]: edited(bench.tree, GRANT, "2028-01-01", "2029-01-01")[GRANT]!,
});

test("a main that is back as it was is covered by no older release, as on the hub", async (t) => {
  const bench = await released(t);
  const before = bench.tree[GRANT]!;
  await bench.commit(longer(bench));
  const trustRoot = await bench.root();
  for (const who of ["a@acme.dev", "security@acme.dev"] as const) await bench.release(who, { trustRoot });
  await bench.commit({ [GRANT]: before });
  await bench.branch("typo", { [GRANT]: `# a word\n${before}` });
  const { check, review } = cloneOf(bench);
  assert.match(await check("origin/main", "origin/main~1"), /^2 mooring\/roles pending: .*waiting for 2 signatures$/);
  assert.match(await check("origin/typo", "origin/main~1"), /^2 mooring\/roles pending/);
  assert.equal((await review("origin/typo")).release.inForce, 2);
});

test("a policy that asks for approval keeps mooring/roles waiting until enough of its owners have signed the release", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.commit({
    "policies/ask-ops.yaml": policyText(
      "ask-ops",
      `match: { kinds: [SecretGrant, Policy] }
owners: [ops@acme.dev]
validations: [{ expression: "change.action == 'keep'", level: require-approval, message: ask }]`,
    ),
  });
  const trustRoot = await bench.releaseAll();
  await bench.branch("longer", longer(bench));
  await bench.branch("fewer", { "policies/ask-ops.yaml": null });
  const { check, review } = cloneOf(bench);
  for (const who of ["a@acme.dev", "security@acme.dev"] as const) await bench.approve(who, "longer", { trustRoot });
  assert.equal(await check("origin/longer"), "2 mooring/roles pending: 3 machines · waiting for policy ask-ops");
  assert.equal(await check("origin/fewer"), "2 mooring/roles pending: 0 machines · waiting for policy ask-ops");
  await bench.approve("ops@acme.dev", "longer", { trustRoot });
  assert.equal(await check("origin/longer"), "0 mooring/roles success: 3 machines · release 2 covers it");
  const { policies } = await review("origin/longer");
  assert.deepEqual(policies.approvals, [{ policy: "ask-ops", owners: ["ops@acme.dev"], count: 1, signed: ["ops@acme.dev"] }]);
});

test("whom a fleet without machines trusts is signed, too", async (t) => {
  const bench = await CliBench.make(t, "local");
  const gone = Object.keys(bench.tree).filter((path) => /^(?:machines|grants|plugins|secrets)\//.test(path));
  await bench.commit(Object.fromEntries(gone.map((path) => [path, null])));
  await bench.branch("trust", { "fleet.yaml": edited(bench.tree, "fleet.yaml", "threshold: 2", "threshold: 1")["fleet.yaml"]! });
  const { check, review } = cloneOf(bench);
  assert.match(await check("origin/trust"), /^2 mooring\/roles pending/);
  assert.deepEqual(
    (await review("origin/trust")).roles.map(({ role }) => role),
    ["root", "release"],
  );
});
