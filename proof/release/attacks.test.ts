import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import { hardwareSigner } from "#test/proof/signer.ts";
import { agentSection, FLEET, grantSection, NOW, pluginSection, type Roles, TestFleet } from "#test/proof/fleet.ts";
import {
  type AcceptInput,
  acceptRelease,
  isCovered,
  judgeRelease,
  judgeSecrets,
  parseTrust,
  readBranch,
  readKnown,
  RELEASE_NAMESPACE,
} from "./index.ts";

type Case = AcceptInput & { readonly name: string; readonly after: unknown };

function cases(file: string): readonly Case[] {
  const list = JSON.parse(readFileSync(new URL(`../../test/vectors/release/${file}.json`, import.meta.url), "utf8")) as (Case & {
    desired: string;
  })[];
  return list.map((c) => ({ ...c, stored: c.stored ?? null, pins: c.pins ?? null, desired: fromBase64(c.desired, "desired") }));
}

/** Every attack that WIRE §3.7 lists, and the refused vectors that are it (vectors.test.ts runs them all). */
const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  "unsigned release touching no class of this machine": ["unsigned poison release", "unsigned release that changes nothing here"],
  "offline over two releases": ["offline over an unsigned access release", "offline, older access release carried"],
  "new machine on the newest": [
    "first contact without the access role",
    "kx swapped, new machine",
    "same since, other root, at first contact",
  ],
  "a grants root nobody signed, invisible in the next plan": [
    "offline over an unsigned access release",
    "access change without the access role",
  ],
  "missed trust step": ["missed trust step", "last trust step missing", "no chain at all"],
  "reordered, swapped or dropped class or section": [
    "reordered sections",
    "swapped section",
    "paths of two classes swapped",
    "access left out under somebody else's access change",
    "section of a class that is not named",
  ],
  "classes of two releases mixed": ["classes of two releases mixed", "roots of two releases mixed"],
  "older root under the same serial": ["same serial, same content, new expiry", "same since, other root, stored"],
  "another machine's leaf": ["another machine's leaf", "whole proof of another machine"],
  "emptied class": ["emptied tree"],
  "removed machine": ["removed machine"],
  "only old or only new root keys": ["only old root keys", "trust step one signature short"],
  "back-dated signature of a removed signer": [
    "back-dated signature of a removed signer",
    "carried signature of a signer removed for good",
  ],
  "wrong namespace": [
    "wrong namespace: git",
    "wrong namespace: mooring-secrets",
    "namespace with a tail",
    "secrets under the release namespace",
  ],
  "one key twice": [
    "one key twice, two hashes",
    "one key under two principals, with the other key",
    "two keys of one principal for a threshold of two",
  ],
  "non-canonical bytes": ["desired not canonical: white space", "desired not canonical: member order", "secrets not canonical"],
  "duplicate JSON key": ["head with a member twice"],
  "kx swapped under a grant": ["kx swapped under a grant", "identity changed in desired only"],
  "expired head": ["expired head", "expired at this very instant"],
  "replayed serial": ["replayed serial", "secrets serial goes back"],
};

test("every attack of WIRE §3.7 is among the refused vectors", () => {
  const names = new Set(cases("refuse").map((c) => c.name));
  for (const [attack, list] of Object.entries(ATTACKS)) for (const name of list) assert.ok(names.has(name), `${attack}: ${name}`);
});

const ROLES: Roles = {
  root: { principals: ["a", "b"], threshold: 2 },
  release: { principals: ["a"], threshold: 1 },
  access: { principals: ["s"], threshold: 1 },
  secrets: { principals: ["a"], threshold: 1 },
};

function fleetOf(...machines: readonly string[]): TestFleet {
  const fleet = new TestFleet(ROLES, ["a", "b", "s", "new"]);
  for (const machine of machines)
    fleet.machines.set(machine, [agentSection(1), pluginSection("mail", 1), grantSection(machine, "smtp", "mail")]);
  fleet.release(["a", "b", "s"]);
  return fleet;
}

test("only the new root keys: a stranger cannot sign trust over to himself", () => {
  const fleet = fleetOf("m1", "m2");
  const pin = fleet.trust.leaf;
  const { after } = acceptRelease(fleet.inputFor("m1", null, pin));
  fleet.setTrust({
    ...ROLES,
    root: { principals: ["new"], threshold: 1 },
    release: { principals: ["new"], threshold: 1 },
    access: { principals: ["new"], threshold: 1 },
  });
  const forged = fleet.release(["new"], { reattest: ["access"] });
  const item = { bytes: toBase64(forged.release.bytes), sigs: forged.release.sigs };
  const input = { now: NOW, fleet: FLEET, machine: "m1", stored: after, pins: null, desired: fleet.desiredOf("m1") };
  const paths = Object.fromEntries((["machines", "access", "plugins"] as const).map((name) => [name, fleet.trees.path(name, "m1")!]));
  for (const trustChain of [[], [{ ...item, trust: toBase64(fleet.trust.bytes) }]]) {
    const proof = { head: item, carried: [], trustChain, paths, secrets: null } as unknown as AcceptInput["proof"];
    assert.throws(() => acceptRelease({ ...input, proof }), { code: "TRUST_BROKEN" });
  }
  assert.throws(() => fleet.inputFor("m1", after, pin), { code: "TRUST_BROKEN" });
  const judged = judgeRelease({ head: forged, releases: fleet.releases, holds: { pin } });
  assert.deepEqual(judged.missing, [{ role: "root", classes: ["trust"], have: [], need: 2, principals: ["a", "b"] }]);
});

test("a machine that selects no grant needs only the release role, and the access entry stays as it was", () => {
  const fleet = fleetOf("m1");
  const pin = fleet.trust.leaf;
  const { access } = fleet.head.release.doc.classes;
  fleet.machines.set("m4", [agentSection(1)]);
  fleet.release(["a"]);
  assert.deepEqual(fleet.head.release.doc.classes.access, access);
  assert.ok(judgeRelease({ head: fleet.head, releases: fleet.releases, holds: { pin } }).complete);
  assert.equal(acceptRelease(fleet.inputFor("m4", null, pin)).after.serial, 2);
  assert.ok(isCovered(fleet.head.release.doc, fleet.trees.roots, fleet.trust.leaf));
});

test("a role that demands touch counts a touched hardware key and nothing else", () => {
  const token = hardwareSigner();
  const fleet = fleetOf("m1");
  fleet.people.set("a", token);
  fleet.setTrust({ ...ROLES, release: { ...ROLES.release, touch: "required" } });
  fleet.releases.length = 0;
  const { release } = fleet.release(["a", "b", "s"]);
  const counts = [0, 1, 4, 5].map((flags) => {
    const sigs = [token.sign(release.bytes, RELEASE_NAMESPACE, { flags }), ...release.sigs.slice(1)];
    return judgeRelease({
      head: readKnown({ bytes: release.bytes, sigs, trust: fleet.trust.bytes }, FLEET),
      releases: [],
      holds: { pin: fleet.trust.leaf },
    }).missing.some((m) => m.role === "release");
  });
  assert.deepEqual(counts, [true, false, true, false]);
});

test("a class that stays away follows its signed entries and comes back only with its role", () => {
  const fleet = fleetOf("m1", "m2");
  const pin = fleet.trust.leaf;
  let stored = acceptRelease(fleet.inputFor("m1", null, pin)).after;
  const own = fleet.machines.get("m1")!;
  const apply = (signers: readonly string[]) => {
    fleet.release(signers);
    return acceptRelease(fleet.inputFor("m1", stored, pin)).after;
  };
  fleet.machines.set(
    "m1",
    own.filter((section) => section.kind !== "grant"),
  );
  assert.throws(() => apply(["a"]), { code: "RELEASE_UNPROVEN" });
  stored = apply(["a", "s"]);
  assert.equal(stored.classes.access?.gone, true);
  fleet.machines.set("m3", [agentSection(1)]); // machines changes, access does not
  stored = apply(["a"]);
  fleet.machines.set("m2", [...fleet.machines.get("m2")!, grantSection("m2", "imap", "mail")]);
  assert.throws(() => apply(["a"]), { code: "RELEASE_UNPROVEN" });
  stored = apply(["a", "s"]);
  fleet.machines.set("m1", own);
  assert.throws(() => apply(["a"]), { code: "RELEASE_UNPROVEN" });
  stored = apply(["a", "s"]);
  assert.equal(stored.classes.access?.gone, undefined);
});

test("a hub that resolved something else, or has no secrets release, builds no proof", () => {
  const fleet = fleetOf("m1");
  const pin = fleet.trust.leaf;
  fleet.machines.set("m1", [agentSection(2)]);
  const other = new TestFleet(ROLES, ["a", "b", "s"]);
  other.machines.set("m1", [agentSection(3), { kind: "secret", name: "x", version: 1, file: pin }]);
  other.release(["a", "b", "s"]);
  assert.throws(() => other.inputFor("m1", null, other.trust.leaf), { code: "SECRETS_UNPROVEN" });
  other.releaseSecrets(["b"]);
  assert.throws(() => acceptRelease(other.inputFor("m1", null, other.trust.leaf)), { code: "SECRETS_UNPROVEN" });
  assert.deepEqual(judgeSecrets(other.secrets!, other.trust, 1), {
    role: "secrets",
    classes: ["secrets"],
    have: [],
    need: 1,
    principals: ["a"],
  });
  fleet.trees = other.trees;
  assert.throws(() => fleet.proofFor("m1", null, pin), { code: "ROOT_MISMATCH" });
});

test("a branch full of rubbish is read for what is readable, and an expired release is not complete", () => {
  const fleet = fleetOf("m1");
  const { release } = fleet.head;
  const item = { bytes: release.bytes, sigs: release.sigs, trust: fleet.trust.bytes };
  const read = readBranch(
    [{ bytes: new Uint8Array([1]), sigs: [] }, { ...item, trust: new Uint8Array([1]) }, { ...item, sigs: ["x"] }, item],
    FLEET,
  );
  assert.equal(read.length, 2);
  const judge = (now: typeof NOW) => judgeRelease({ head: fleet.head, releases: read, holds: { pin: fleet.trust.leaf }, now });
  assert.ok(judge(NOW).complete);
  const late = judge("2099-01-01T00:00:00.000Z" as typeof NOW);
  assert.deepEqual([late.complete, late.expired], [false, true]);
  assert.throws(() => parseTrust(new Uint8Array(Buffer.from('{"kind":"trust"}'))), { code: "TRUST_MALFORMED" });
});
