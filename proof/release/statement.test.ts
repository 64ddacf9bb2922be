import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { toBase64 } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { timeOf } from "#base/time/index.ts";
import type { Bytes64, FleetId, Statement } from "#schemas/wire/index.ts";
import { trustBytes } from "#test/proof/fleet.ts";
import { fileSigner } from "#test/proof/signer.ts";
import { composeStatement, parseTrust, verifyStatement } from "./index.ts";

const people = new Map(["ops", "sec", "x"].map((name) => [name, fileSigner()]));
const one = { principals: ["x"], threshold: 1 };
const T = Date.UTC(2026, 10, 25, 12);
const actions = [
  { actions: ["pause", "hold"], principals: ["ops"], maxSeconds: 8 * 3600 },
  { actions: ["pause"], principals: ["sec"], maxSeconds: null },
  { actions: ["revoke"], principals: ["ops", "sec"], maxSeconds: null },
];
const trust = parseTrust(trustBytes(people, { root: one, release: one, access: one, secrets: one }, { actions })).section;
const context = { fleet: "acme", now: timeOf(T), trust, serial: 5 };
const pause: Statement = {
  t: "mooring/action/v1",
  fleet: "acme" as FleetId,
  action: "pause",
  target: null,
  machines: "all",
  reason: "maintenance",
  issued: timeOf(T - 1000),
  expires: timeOf(T + 3600_000),
};
const revoke: Statement = { ...pause, action: "revoke", target: { kind: "secret", name: "team/smtp" }, expires: null };

function signedBy(statement: Statement, names: readonly string[], namespace = "mooring-action") {
  const bytes = composeStatement(statement);
  return { bytes: toBase64(bytes) as Bytes64, sigs: names.map((name) => people.get(name)!.sign(bytes, namespace)) };
}

test("one named principal revokes for good; a pause lasts as long as its signer may ask for", () => {
  assert.deepEqual(verifyStatement(signedBy(revoke, ["x", "sec"]), context).signers, ["sec"]);
  const got = verifyStatement(signedBy(pause, ["ops", "sec"]), context);
  assert.deepEqual(got.signers, ["ops", "sec"]);
  assert.deepEqual(got.statement, pause);
  assert.match(got.digest, /^sha256:/);
  const long = { ...pause, expires: timeOf(T + 9 * 3600_000) };
  assert.throws(() => verifyStatement(signedBy(long, ["ops"]), context), { code: "STATEMENT_UNPROVEN" });
  assert.deepEqual(verifyStatement(signedBy(long, ["ops", "sec"]), context).signers, ["sec"]);
});

test("nobody, a stranger, another namespace, fleet, action or trust: no statement", () => {
  const unproven = { code: "STATEMENT_UNPROVEN" };
  for (const names of [[], ["x"]]) assert.throws(() => verifyStatement(signedBy(pause, names), context), unproven);
  assert.throws(() => verifyStatement(signedBy(pause, ["ops"], "mooring-release"), context), unproven);
  assert.throws(() => verifyStatement(signedBy({ ...pause, action: "restore" }, ["ops"]), context), unproven);
  assert.throws(() => verifyStatement(signedBy({ ...pause, action: "hold" }, ["sec"]), context), unproven);
  assert.throws(() => verifyStatement(signedBy(pause, ["ops"]), { ...context, fleet: "other" }), { code: "STATEMENT_MALFORMED" });
  const ended = { ...trust, keys: { ...trust.keys, ops: [{ ...trust.keys["ops"]![0]!, until: 4 }] } };
  assert.throws(() => verifyStatement(signedBy(pause, ["ops"]), { ...context, trust: ended }), unproven);
});

test("an expired statement, or one issued in the future to outlive its longest time, is refused", () => {
  const item = signedBy(pause, ["ops"]);
  assert.throws(() => verifyStatement(item, { ...context, now: timeOf(T + 3600_000) }), { code: "STATEMENT_EXPIRED" });
  const later = { ...pause, issued: timeOf(T + 86_400_000), expires: timeOf(T + 90_000_000) };
  assert.throws(() => verifyStatement(signedBy(later, ["ops"]), context), { code: "STATEMENT_UNPROVEN" });
});

test("statements of another form are refused before anybody signs them", () => {
  const bad: unknown[] = [
    { ...pause, expires: null },
    { ...revoke, expires: pause.expires },
    { ...revoke, target: null },
    { ...pause, machines: [] },
    { ...pause, expires: pause.issued },
    { ...pause, action: "open" },
    { ...pause, note: "x" },
    { ...pause, t: "mooring/action/v2" },
    { ...pause, target: { kind: "host", name: "x" } },
    "pause",
  ];
  for (const statement of bad)
    assert.throws(() => composeStatement(statement as Statement), { code: "STATEMENT_MALFORMED" }, JSON.stringify(statement));
});

test("no changed byte of a statement or signature is accepted", () => {
  const item = signedBy(pause, ["ops"]);
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, xor, inSig) => {
      const flip = (text: string): string => {
        const bytes = Buffer.from(text, inSig ? "latin1" : "base64");
        bytes[at % bytes.length]! ^= xor;
        return bytes.toString(inSig ? "latin1" : "base64");
      };
      const changed = inSig ? { ...item, sigs: item.sigs.map(flip) } : { ...item, bytes: flip(item.bytes) as Bytes64 };
      try {
        verifyStatement(changed, context);
        assert.fail("accepted");
      } catch (err) {
        if (!hasCode(err, "STATEMENT_MALFORMED") && !hasCode(err, "STATEMENT_UNPROVEN")) throw err;
      }
    }),
    { numRuns: 200 },
  );
});
