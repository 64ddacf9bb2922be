import assert from "node:assert/strict";
import { test } from "node:test";
import { timeOf } from "#base/time/index.ts";
import { pluginSection, secretSection, TestFleet } from "#test/proof/fleet.ts";
import { ageingOf } from "./index.ts";

const one = { principals: ["a"], threshold: 1 };
const fleet = new TestFleet({ root: one, release: one, access: one, secrets: one }, ["a"]);
fleet.machines.set("m1", [pluginSection("mail", 1), secretSection("team/smtp", 1)]);
const head = fleet.release(["a"]); // 2026-11-25 to 2027-02-25
fleet.releaseSecrets(["a"]);

test("what is in force says when it is to be renewed, and when it has run out", () => {
  const at = (day: string) => ageingOf(head, fleet.secrets, timeOf(Date.parse(`${day}T12:00:00Z`)));
  assert.equal(at("2027-01-30"), null);
  const late = at("2027-02-03");
  assert.equal(late?.code, "RELEASE_AGEING");
  assert.match(late?.message ?? "", /^release 1-[0-9a-f]{8}, issued 2026-11-25 and signed by a, runs out on 2027-02-25$/);
  assert.match(late?.fix ?? "", /mooring release --renew/);
  const over = at("2027-02-25");
  assert.equal(over?.code, "RELEASE_EXPIRED");
  assert.match(over?.why ?? "", /goes on running; machines take nothing new/);
});
