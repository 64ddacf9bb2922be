import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { type Digest, digestOf } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import type { BridgeState } from "#bridge/client/ipc.ts";
import type { Binding, Envelope, FleetId, GrantSection, Lease, MachineId, PluginId, SecretRef, SignedLease } from "#schemas/wire/index.ts";
import { signEnvelope, signLease, type VaultSigner, vaultKeyText } from "#seal/envelope/index.ts";
import { canonBytes } from "#base/canonical/index.ts";
import { type Ask, decide, type Facts } from "./decide.ts";

const NOW = 1_800_000_000_000;
const [BEFORE, AFTER] = [timeOf(NOW - 1_000), timeOf(NOW + 1_000)];
const KEY = digestOf("kx");
const [FLEET, MACHINE, PLUGIN, REF] = ["acme" as FleetId, "mini-01" as MachineId, "mail" as PluginId, "secret://team/imap" as SecretRef];
const BUNDLE = digestOf("bundle");
const LEAF = digestOf("leaf");

function vault(): VaultSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { key: vaultKeyText(createPublicKey(privateKey)), sign: (message) => new Uint8Array(sign(null, message, privateKey)) };
}
const VAULT = vault();
const THIEF = vault();

function grant(change: Partial<GrantSection["grant"]> = {}, key: Digest = KEY): GrantSection {
  return { kind: "grant", name: "g", grant: { subject: PLUGIN, ref: REF, delivery: { mode: "fd" }, expires: null, ...change }, key };
}
function lease(change: Partial<Lease> = {}, by = VAULT): SignedLease {
  return signLease(
    { t: "mooring/lease/v1", fleet: FLEET, machine: MACHINE, key: KEY, serial: 1, notBefore: BEFORE, notAfter: AFTER, ...change },
    by,
  );
}
function sealed(change: Partial<Binding> = {}, by = VAULT): Envelope {
  const what = {
    t: "mooring/envelope/v1",
    fleet: FLEET,
    machine: MACHINE,
    key: KEY,
    grant: grant().grant,
    grantDigest: LEAF,
    bundle: BUNDLE,
    version: 3,
    bindingSerial: 1,
    notBefore: BEFORE,
    notAfter: AFTER,
    ...change,
  };
  return signEnvelope({ aad: canonBytes(what), enc: new Uint8Array(65), ct: new Uint8Array(32) }, by);
}
const STATE: BridgeState = {
  fleet: FLEET,
  machine: MACHINE,
  incarnation: 1,
  releaseSerial: 5,
  vaultKeys: [{ key: VAULT.key, from: 1, until: null }],
  grants: [{ leaf: LEAF, section: grant() }],
  secrets: [{ kind: "secret", name: "team/imap", version: 3, file: digestOf("age") }],
  plugins: [{ id: PLUGIN, bundle: BUNDLE }],
  revoked: { secrets: [], plugins: [], machine: false },
  withheld: [],
  floor: BEFORE,
};
const ASK: Ask = { plugin: PLUGIN, bundle: BUNDLE, ref: REF };
const GOOD: Facts = { state: STATE, key: KEY, lease: lease(), envelopes: () => [sealed()], now: NOW };

const state = (change: Partial<BridgeState>): Facts => ({ ...GOOD, state: { ...STATE, ...change } });
const revoked = (change: Partial<BridgeState["revoked"]>): Facts => state({ revoked: { ...STATE.revoked, ...change } });
const granted = (section: GrantSection, leaf: Digest = LEAF): Facts => state({ grants: [{ leaf, section }] });
const held = (change: Partial<Binding>, by = VAULT): Facts => ({ ...GOOD, envelopes: () => [sealed(change, by)] });
const leased = (change: Partial<Lease>, by = VAULT): Facts => ({ ...GOOD, lease: lease(change, by) });
const other = digestOf("other");

test("with everything in place the answer is yes, and names the envelope", () => {
  const verdict = decide(ASK, GOOD);
  assert.equal(verdict.at, "open");
  assert.ok(verdict.at === "open" && verdict.binding.version === 3 && verdict.grant.leaf === LEAF);
});

test("any one thing that is not right turns yes into no", () => {
  const cases: readonly (readonly [code: string, what: string, facts: Facts, ask?: Partial<Ask>])[] = [
    ["SECRET_WAITING", "no state", { ...GOOD, state: null }],
    ["SECRET_NOT_GRANTED", "no grant", state({ grants: [] })],
    ["SECRET_NOT_GRANTED", "another plugin's", granted(grant({ subject: "cal" as PluginId }))],
    ["SECRET_NOT_GRANTED", "the gateway's", granted(grant({ subject: "gateway" }))],
    ["SECRET_NOT_GRANTED", "another ref", granted(grant({ ref: "secret://team/imap2" as SecretRef }))],
    ["SECRET_NOT_GRANTED", "egress only", granted(grant({ delivery: { mode: "egress", hosts: ["x"], header: "h" } }))],
    ["SECRET_NOT_GRANTED", "resolve only", granted(grant({ delivery: { mode: "resolve" } }))],
    ["SECRET_NOT_GRANTED", "another machine's key", granted(grant({}, other))],
    ["SECRET_NOT_GRANTED", "asked by another plugin", GOOD, { plugin: "cal" as PluginId }],
    ["SECRET_NOT_GRANTED", "asked with another spelling", GOOD, { ref: "secret://team/IMAP" }],
    ["GRANT_EXPIRED", "expired now", granted(grant({ expires: timeOf(NOW) }))],
    ["SECRET_REVOKED", "secret by ref", revoked({ secrets: [REF] })],
    ["SECRET_REVOKED", "secret by name", revoked({ secrets: ["team/imap"] })],
    ["SECRET_REVOKED", "plugin", revoked({ plugins: [PLUGIN] })],
    ["SECRET_REVOKED", "machine", revoked({ machine: true })],
    ["PLUGIN_OUTDATED", "run of another bundle", GOOD, { bundle: other }],
    ["PLUGIN_OUTDATED", "plugin gone", state({ plugins: [] })],
    ["PLUGIN_WITHHELD", "drifted tree", state({ withheld: [PLUGIN] })],
    ["SECRET_WAITING", "no version", state({ secrets: [] })],
    ["SECRET_WAITING", "newer version", state({ secrets: [{ ...STATE.secrets[0]!, version: 4 }] })],
    ["LEASE_ENDED", "no lease", { ...GOOD, lease: null }],
    ["LEASE_ENDED", "over now", leased({ notAfter: timeOf(NOW) })],
    ["LEASE_ENDED", "not yet", leased({ notBefore: AFTER })],
    ["LEASE_ENDED", "another machine's", leased({ machine: "mini-02" as MachineId })],
    ["LEASE_ENDED", "another fleet's", leased({ fleet: "other" as FleetId })],
    ["LEASE_ENDED", "another key's", leased({ key: other })],
    ["LEASE_ENDED", "a thief's", leased({}, THIEF)],
    ["LEASE_ENDED", "vault key of later releases", state({ vaultKeys: [{ key: VAULT.key, from: 6, until: null }] })],
    ["LEASE_ENDED", "vault key dropped", state({ vaultKeys: [] })],
    ["SECRET_WAITING", "no envelope", { ...GOOD, envelopes: () => [] }],
    ["SECRET_WAITING", "a thief's envelope", held({}, THIEF)],
    ["SECRET_WAITING", "of another machine", held({ machine: "mini-02" as MachineId })],
    ["SECRET_WAITING", "of another fleet", held({ fleet: "other" as FleetId })],
    ["SECRET_WAITING", "of another key", held({ key: other })],
    ["SECRET_WAITING", "of another grant", held({ grantDigest: other })],
    ["SECRET_WAITING", "of another subject", held({ grant: grant({ subject: "cal" as PluginId }).grant })],
    ["SECRET_WAITING", "of another ref", held({ grant: grant({ ref: "secret://team/x" as SecretRef }).grant })],
    ["SECRET_WAITING", "for egress", held({ grant: grant({ delivery: { mode: "egress", hosts: ["x"], header: "h" } }).grant })],
    ["SECRET_WAITING", "of another bundle", held({ bundle: other })],
    ["SECRET_WAITING", "of the gateway", held({ bundle: null })],
    ["SECRET_WAITING", "of an older version", held({ version: 2 })],
    ["SECRET_WAITING", "over", held({ notAfter: timeOf(NOW) })],
    ["SECRET_WAITING", "not yet", held({ notBefore: AFTER })],
  ];
  for (const [code, what, facts, ask] of cases) {
    const verdict = decide({ ...ASK, ...ask }, facts);
    assert.equal(verdict.at === "deny" ? verdict.code : "open", code, what);
  }
});

test("the envelope that fits is found among others", () => {
  const verdict = decide(ASK, { ...GOOD, envelopes: () => [sealed({ bundle: other, bindingSerial: 9 }), sealed({}, THIEF), sealed()] });
  assert.equal(verdict.at, "open");
});
