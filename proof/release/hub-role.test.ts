import assert from "node:assert/strict";
import { test } from "node:test";
import { canonBytes, digestOf } from "#base/canonical/index.ts";
import type { Bytes64 } from "#schemas/wire/index.ts";
import { agentSection, FLEET, grantSection, NOW, pluginSection, type Roles, secretSection, TestFleet } from "#test/proof/fleet.ts";
import { acceptRelease, ACTION_NAMESPACE, judgeRelease, parseTrust, type Stored, verifyStatement } from "./index.ts";

const HUB = { by: "hub", principals: ["hub"], threshold: 1, touch: "optional" } as const;
const ROLES: Roles = {
  root: { principals: ["a", "b"], threshold: 2 },
  release: HUB,
  access: { principals: ["s"], threshold: 1 },
  secrets: { principals: ["a"], threshold: 1 },
};
const PEOPLE: Roles = { ...ROLES, release: { principals: ["a"], threshold: 1 } };
const EXTRA = { authors: digestOf("authors"), actions: [{ actions: ["pause"], principals: ["a"], maxSeconds: null }] };

/** A fleet whose releases the hub signs, and what its machine stands on after the first one. */
function fleetOf(): { readonly fleet: TestFleet; readonly stored: Stored } {
  const fleet = new TestFleet(PEOPLE, ["a", "b", "s", "hub"]);
  fleet.setTrust(ROLES, EXTRA);
  set(fleet, 1);
  fleet.release(["a", "b", "s", "hub"]);
  fleet.releaseSecrets(["a"]);
  return { fleet, stored: acceptRelease(fleet.inputFor("m1", null, fleet.trust.leaf)).after };
}

function set(fleet: TestFleet, plugin: number, note = "", secret = 1): void {
  const sections = [
    agentSection(1),
    pluginSection("mail", plugin),
    grantSection("m1", "db", "mail", note),
    secretSection("team/db", secret),
  ];
  fleet.machines.set("m1", sections);
}

/** The machine's answer to the newest release, and the roles the judge misses. */
function answer(fleet: TestFleet, stored: Stored): readonly [string, readonly string[]] {
  const { missing } = judgeRelease({
    head: fleet.head,
    releases: fleet.releases,
    holds: { trust: stored.trust.leaf, serial: stored.serial },
  });
  try {
    acceptRelease(fleet.inputFor("m1", stored, fleet.trust.leaf));
    return ["accepted", missing.map(({ role }) => role)];
  } catch (err) {
    return [(err as { code: string }).code, missing.map(({ role }) => role)];
  }
}

test("the hub's key alone releases plugins, and nothing of its own", () => {
  const { fleet, stored } = fleetOf();
  set(fleet, 2);
  fleet.release(["hub"]);
  assert.deepEqual(answer(fleet, stored), ["accepted", []]);
});

test("a hostile hub key cannot widen a grant, swap a machine's key or take logins away", () => {
  const { fleet, stored } = fleetOf();
  set(fleet, 1, "2");
  fleet.release(["hub"]);
  assert.deepEqual(answer(fleet, stored), ["RELEASE_UNPROVEN", ["access"]]);
  fleet.releases.pop();
  fleet.machines.set("m1", [agentSection(1), pluginSection("mail", 1), secretSection("team/db", 1)]);
  fleet.release(["hub"]);
  assert.deepEqual(answer(fleet, stored)[0], "RELEASE_UNPROVEN", "a class taken away needs its role");
});

test("a hostile hub key cannot change trust, not even to give itself more or to name other authors", () => {
  for (const change of [
    (fleet: TestFleet) => fleet.setTrust({ ...ROLES, secrets: HUB }, EXTRA),
    (fleet: TestFleet) => fleet.setTrust(ROLES, { ...EXTRA, authors: digestOf("others") }),
    (fleet: TestFleet) => fleet.setTrust({ ...ROLES, access: { principals: ["b"], threshold: 1 } }, EXTRA),
  ]) {
    const { fleet, stored } = fleetOf();
    change(fleet);
    fleet.release(["hub"]);
    assert.throws(() => acceptRelease(fleet.inputFor("m1", stored, fleet.trust.leaf)), { code: "TRUST_BROKEN" });
  }
});

test("a hostile hub key signs no secrets where people do, and no statements", () => {
  const { fleet, stored } = fleetOf();
  set(fleet, 1, "", 2);
  fleet.release(["hub"]);
  fleet.releaseSecrets(["hub"]);
  assert.throws(() => acceptRelease(fleet.inputFor("m1", stored, fleet.trust.leaf)), { code: "SECRETS_UNPROVEN" });
  const bytes = canonBytes({
    t: "mooring/action/v1",
    fleet: FLEET,
    action: "pause",
    target: null,
    machines: "all",
    reason: "x",
    issued: NOW,
    expires: "2026-11-25T13:00:00.000Z",
  });
  const sigs = [fleet.people.get("hub")?.sign(bytes, ACTION_NAMESPACE) ?? ""];
  const statement = { bytes: Buffer.from(bytes).toString("base64") as Bytes64, sigs };
  const context = { fleet: FLEET, trust: fleet.trust.section, serial: 1, now: NOW };
  assert.throws(() => verifyStatement(statement, context), { code: "STATEMENT_UNPROVEN" });
});

test("authors are in a trust section exactly when the hub signs for them", () => {
  const { fleet } = fleetOf();
  const { authors: _authors, ...without } = fleet.trust.section;
  assert.throws(() => parseTrust(canonBytes(without)), { code: "TRUST_MALFORMED" });
  const people = { ...fleet.trust.section, roles: { ...fleet.trust.section.roles, release: fleet.trust.section.roles.secrets } };
  assert.throws(() => parseTrust(canonBytes(people)), { code: "TRUST_MALFORMED" });
  const { authors: _again, ...good } = people;
  assert.equal(parseTrust(canonBytes(good)).section.authors, undefined);
});
