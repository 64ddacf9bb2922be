/** What a machine refuses is shown with the release and commit it was asked to run, who signed that, the rule, and what to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MooringError, toProblem } from "#base/errors/index.ts";
import { timeOf } from "#base/time/index.ts";
import { statusText } from "#cli/hub/status.ts";
import { type AcceptInput, acceptRelease, releaseName, type Stored } from "#proof/release/index.ts";
import { hubStatus } from "#schemas/wire/index.ts";
import { grantSection, NOW, pluginSection, TestFleet } from "#test/proof/fleet.ts";

const role = { principals: ["ann", "bob"], threshold: 1 };
const fleet = new TestFleet({ root: role, release: role, access: role, secrets: role }, ["ann", "bob"]);
const pin = fleet.trust.leaf;
const NAMES = ["mini-01", "mini-02"];
for (const name of NAMES) fleet.machines.set(name, [pluginSection("mail", 1), grantSection(name, "smtp", "mail")]);
fleet.release(["ann"]);
const { after } = acceptRelease(fleet.inputFor("mini-01", null, pin));
fleet.machines.set("mini-01", [pluginSection("mail", 2), grantSection("mini-01", "smtp", "mail")]);
const head = fleet.release(["ann"]);
const name = releaseName(head.release);

const access = after.classes.access;
assert.ok(access !== undefined);
const later: Stored = { ...after, classes: { ...after.classes, access: { ...access, since: 9 } } };
const other = new TestFleet(fleet.roles, ["eve"]).trust.leaf;

const cases: readonly (readonly [code: string, input: () => AcceptInput, rule: RegExp, todo: RegExp])[] = [
  [
    "SERIAL_OLD",
    () => fleet.inputFor("mini-01", { ...after, serial: 7 }, pin),
    /serials only grow/,
    /mooring release --renew --source URL/,
  ],
  [
    "SINCE_BACKWARD",
    () => fleet.inputFor("mini-01", later, pin),
    /class access stands since 1, and since 9 was accepted/,
    /mooring release --renew/,
  ],
  [
    "TRUST_BROKEN",
    () => ({ ...fleet.inputFor("mini-01", null, pin), pins: { trust: other } }),
    /not the pinned one/,
    /openclaw-lobster init --pins FILE/,
  ],
  [
    "RELEASE_EXPIRED",
    () => ({ ...fleet.inputFor("mini-01", after, pin), now: timeOf(Date.UTC(2028, 0, 1)) }),
    /spec\.trust\.expires/,
    /mooring release --renew/,
  ],
];

function refusalOf(input: AcceptInput): MooringError {
  try {
    acceptRelease(input);
  } catch (err) {
    if (err instanceof MooringError) return err;
    throw err;
  }
  throw new Error("it was accepted");
}

for (const [code, input, rule, todo] of cases)
  test(`${code} of a machine names the release, its commit, who signed it, the rule and what to do; once for all machines`, () => {
    const err = refusalOf(input());
    assert.equal(err.code, code);
    assert.match(err.message, new RegExp(name));
    const error = toProblem(err);
    const revision = "3f2c91ab".repeat(5);
    const machines = NAMES.map((machine) => ({ ...MACHINE, name: machine, error, lastAttemptedRevision: revision }));
    const running = { revision, author: "Ann <ann@acme.dev>", release: name, signed: ["ann"] };
    const { serial, expires } = head.release.doc;
    const said = { ...STATUS, source: { ...STATUS.source, head: revision, target: revision }, running, machines };
    const text = statusText(hubStatus.parse({ ...said, release: { serial, expires, digest: head.release.digest } }), Date.parse(NOW));
    assert.match(text, new RegExp(`release ${name}, until 2027-02-25, signed by ann\n`));
    assert.match(text, /main {5}3f2c91ab, runs \(by Ann <ann@acme\.dev>\)/);
    assert.match(
      text,
      new RegExp(`mini-01, mini-02, asked to run release ${name} of commit 3f2c91ab3f2c:\n {2}${code}: .*\n {4}why: .*\n {4}fix: `),
    );
    assert.match(text, rule);
    assert.match(text, todo);
    assert.equal(text.split(`${code}: `).length, 2, "said once");
  });

const MACHINE = {
  reachable: true,
  mode: "manage",
  conditions: [],
  generation: 1,
  observedGeneration: 1,
  root: null,
  desiredRoot: null,
  inSync: false,
  lastAppliedRevision: null,
  release: 1,
  lease: null,
  plugins: [],
  lastSeen: NOW,
};
const STATUS = {
  fleet: "acme",
  hub: { version: "0.1.0", uid: 501, startedAt: NOW, nativeCrypto: true },
  source: { url: "https://git.example.net/fleet.git", lastVerified: null, checkedAt: NOW, error: null },
  awaiting: null,
  refused: null,
  trusts: {},
};
