import assert from "node:assert/strict";
import { test } from "node:test";
import { type Person, RepoFleet } from "#test/hub/repo-fleet.ts";
import { commitTo, mergeTo } from "#test/support/repo.ts";
import { policyText } from "./support.ts";

const ALL: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];
const signal = new AbortController().signal;

const POLICY = policyText(
  "no-longer",
  `match: { kinds: [SecretGrant] }
validations:
  - { expression: object.spec.expires < '2029', message: too long }`,
);
const ASK = policyText(
  "ask-ops",
  `match: { kinds: [SecretGrant] }
owners: [ops@acme.dev]
validations:
  - { expression: "change.action == 'keep'", level: require-approval, message: ask }`,
);

async function withFleet(files: Readonly<Record<string, string>>, run: (fleet: RepoFleet, base: string) => Promise<void>): Promise<void> {
  const fleet = await RepoFleet.make();
  try {
    const base = await fleet.commit(files);
    await fleet.release(ALL);
    await run(fleet, base);
  } finally {
    await fleet.close();
  }
}

function granted(fleet: RepoFleet, until: string): Readonly<Record<string, string>> {
  return { "grants/greeter.yaml": (fleet.tree["grants/greeter.yaml"] ?? "").replace(/expires: .*/, `expires: ${until}`) };
}

test("a released revision that the policies in force deny is not selected, and says why; the next good one is", () =>
  withFleet({ "policies/no-longer.yaml": POLICY }, async (fleet, base) => {
    const loop = await fleet.loop();
    assert.equal((await loop.look(signal)).view.target?.revision, base);
    await fleet.commit(granted(fleet, "2030-01-01"));
    await fleet.release(ALL);
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, base);
    const outcome = view.head?.outcome;
    assert.ok(outcome?.at === "refused");
    assert.deepEqual(
      outcome.findings.map(({ code, file, line, rule }) => [code, file, line, rule]),
      [["POLICY_DENIED", "grants/greeter.yaml", 10, "no-longer/1"]],
    );
    const good = await fleet.commit(granted(fleet, "2028-06-01"));
    await fleet.release(ALL);
    assert.equal((await loop.look(signal)).view.target?.revision, good);
  }));

test("a revision cannot drop the policy that denies it", () =>
  withFleet({ "policies/no-longer.yaml": POLICY }, async (fleet, base) => {
    const loop = await fleet.loop();
    await loop.look(signal);
    await fleet.commit({ ...granted(fleet, "2030-01-01"), "policies/no-longer.yaml": null });
    await fleet.release(ALL);
    assert.equal((await loop.look(signal)).view.target?.revision, base);
  }));

test("a revision that brings a policy with a mistake is refused at the mistake", () =>
  withFleet({}, async (fleet, base) => {
    const loop = await fleet.loop();
    await loop.look(signal);
    await fleet.commit({ "policies/no-longer.yaml": POLICY.replace("spec.expires", "spec.expire") });
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, base);
    const outcome = view.head?.outcome;
    assert.ok(outcome?.at === "refused");
    assert.deepEqual(
      outcome.findings.map(({ code, line, fix }) => [code, line, fix]),
      [["POLICY_INVALID", 7, "did you mean `expires`?"]],
    );
  }));

test("what needs approval waits until enough owners have signed the release that brings it", () =>
  withFleet({ "policies/ask-ops.yaml": ASK }, async (fleet, base) => {
    const loop = await fleet.loop();
    await loop.look(signal);
    const next = await fleet.commit(granted(fleet, "2030-01-01"));
    await fleet.release(ALL);
    const { view } = await loop.look(signal);
    assert.equal(view.target?.revision, base);
    const outcome = view.head?.outcome;
    assert.deepEqual(outcome?.at === "refused" ? outcome.findings.map(({ code, level }) => [code, level]) : null, [
      ["POLICY_APPROVAL_NEEDED", "error"],
    ]);
    await fleet.release([...ALL, "ops@acme.dev"]);
    assert.equal((await loop.look(signal)).view.target?.revision, next);
  }));

test("a hub that starts with a change already on main judges it against the revision it holds", () =>
  withFleet({ "policies/no-longer.yaml": POLICY }, async (fleet, base) => {
    const pin = (await fleet.resolved()).trustLeaf;
    await (await fleet.loop("hub", pin)).look(signal);
    await fleet.commit(granted(fleet, "2030-01-01"));
    await fleet.release(ALL);
    const { view } = await (await fleet.loop("hub", pin)).look(signal);
    assert.equal(view.target?.revision, base);
  }));

test("a policy over policies keeps a pusher from taking policies away, itself too", () =>
  withFleet(
    {
      "policies/guard.yaml": policyText(
        "guard",
        `match: { kinds: [Policy] }
owners: [security@acme.dev, b@acme.dev]
validations:
  - { expression: "change.action == 'keep'", level: require-approval, message: a change of policies }`,
      ),
      "policies/no-longer.yaml": POLICY,
    },
    async (fleet, base) => {
      const loop = await fleet.loop();
      await loop.look(signal);
      // Nothing that is signed changes, so the release in force covers both; its signatures were given before, so they approve nothing.
      await fleet.commit({ "policies/no-longer.yaml": null });
      assert.equal((await loop.look(signal)).view.target?.revision, base);
      const last = await fleet.commit({ "policies/guard.yaml": null });
      const { view } = await loop.look(signal);
      assert.equal(view.target?.revision, base);
      assert.equal(view.head?.outcome.at, "refused");
      await fleet.release(ALL); // a release of its own, signed by owners among others
      assert.equal((await loop.look(signal)).view.target?.revision, last);
    },
  ));

test("a merge the wrong way round leads to no commit that lacks what is in force", () =>
  withFleet({}, async (fleet, first) => {
    const base = await fleet.commit({ "policies/no-longer.yaml": POLICY });
    const loop = await fleet.loop();
    assert.equal((await loop.look(signal)).view.target?.revision, base);
    const side = await commitTo(fleet.gitdir, { files: granted(fleet, "2030-01-01"), branch: "side", parents: [first] });
    await mergeTo(fleet.gitdir, "main", side, base); // its first parents go past what is in force, to a commit of the same outcome without the policy
    assert.equal((await loop.look(signal)).view.target?.revision, base);
  }));
