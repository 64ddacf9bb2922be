// oxlint-disable typescript/no-explicit-any -- the tests break parsed JSON in places that have no type
import assert from "node:assert/strict";
import { test } from "node:test";
import { canonBytes, digestOf } from "#base/canonical/index.ts";
import { parseTrustedRoot, verifyWorkflow } from "#proof/sigstore/index.ts";
import type { RoleRule } from "#schemas/wire/index.ts";
import { agentSection, FLEET, grantSection, pluginSection, type Roles, TestFleet } from "#test/proof/fleet.ts";
import { type Claims, type SignOptions, TestSigstore, WORKFLOW as identity } from "#test/proof/sigstore.ts";
import {
  acceptRelease,
  judgeRelease,
  judgeSecrets,
  type KnownRelease,
  parseTrust,
  readKnown,
  readSecrets,
  RELEASE_NAMESPACE,
  SECRETS_NAMESPACE,
} from "./index.ts";
import { payloadTypeOf } from "./workflows.ts";

const AT = new Date("2026-11-25T10:00:00Z");
const HOUR = 3_600_000;
const sigstore = new TestSigstore(new Date("2026-01-01T00:00:00Z"));
const rootText = new TextDecoder().decode(sigstore.trustedRoot());
const claims: Claims = { ...identity, trigger: "push" };
const BY_CI = { by: "ci", principals: [], threshold: 1, touch: "optional", identity } as const satisfies RoleRule;
const ROLES: Roles = {
  root: { principals: ["a", "b"], threshold: 2 },
  release: BY_CI,
  access: { principals: ["s"], threshold: 1 },
  secrets: BY_CI,
};

/** A fleet whose releases a workflow signs; the people of root and access have signed its first one. */
function fleetOf(): TestFleet {
  const fleet = new TestFleet({ ...ROLES, release: { principals: ["a"], threshold: 1 }, secrets: { principals: ["a"], threshold: 1 } }, [
    "a",
    "b",
    "s",
  ]);
  fleet.setTrust(ROLES, { trustedRoot: sigstore.trustedRootDigest() });
  fleet.machines.set("m1", [agentSection(1), pluginSection("mail", 1), grantSection("m1", "db", "mail")]);
  fleet.release(["a", "b", "s"]);
  return fleet;
}

function bundleOver(bytes: Uint8Array, options: Partial<SignOptions> = {}, by = sigstore): string {
  return by.sign(bytes, payloadTypeOf(RELEASE_NAMESPACE), { claims, at: AT, ...options });
}

/** The head with more signatures. */
function withSigs(fleet: TestFleet, sigs: readonly string[]): KnownRelease {
  const { bytes, sigs: before } = fleet.head.release;
  const known = readKnown({ bytes, sigs: [...before, ...sigs], trust: fleet.trust.bytes }, FLEET);
  fleet.releases[fleet.releases.length - 1] = known;
  return known;
}

/** What the machine answers to a release with these signatures. */
function answerTo(fleet: TestFleet, sigs: readonly string[]): string {
  withSigs(fleet, sigs);
  try {
    acceptRelease(fleet.inputFor("m1", null, fleet.trust.leaf));
    return "accepted";
  } catch (err) {
    return (err as { code: string }).code;
  }
}

test("a release that the named workflow signed is accepted, under Rekor v1 and v2, and the judge says the same", () => {
  for (const log of ["v1", "v2"] as const) {
    const fleet = fleetOf();
    const before = judgeRelease({ head: fleet.head, releases: [], holds: { pin: fleet.trust.leaf } });
    assert.deepEqual(
      before.missing.map(({ role, principals }) => [role, ...principals]),
      [["release", "acme/fleet/.github/workflows/release.yml@refs/heads/main"]],
    );
    const head = withSigs(fleet, [rootText, bundleOver(fleet.head.release.bytes, { log })]);
    assert.equal(judgeRelease({ head, releases: [], holds: { pin: fleet.trust.leaf } }).complete, true);
    assert.equal(acceptRelease(fleet.inputFor("m1", null, fleet.trust.leaf)).head.serial, 1);
  }
});

test("a workflow signs secrets releases, under their own payload type", () => {
  const fleet = fleetOf();
  fleet.releaseSecrets([]);
  const bytes = fleet.secrets!.bytes;
  const sign = (namespace: string): string => sigstore.sign(bytes, payloadTypeOf(namespace), { claims, at: AT });
  const judged = (namespace: string) => judgeSecrets(readSecrets(bytes, [rootText, sign(namespace)], FLEET), fleet.trust, 1);
  assert.equal(judged(SECRETS_NAMESPACE), null);
  assert.equal(judged(RELEASE_NAMESPACE)?.role, "secrets");
});

const OTHERS: Readonly<Record<string, Partial<Claims>>> = {
  "another repository id (deleted and made again)": { repositoryId: "1002" },
  "another owner id (the account was taken over)": { ownerId: "43" },
  "the same name with two other ids": { repositoryId: "9", ownerId: "9" },
  "another repository of the owner": { repository: "acme/other" },
  "a name that only starts alike": { repository: "acme/fleet-evil" },
  "the repository renamed, ids as they were": { repository: "acme/fleet2" },
  "another workflow": { workflow: ".github/workflows/test.yml" },
  "another branch": { ref: "refs/heads/dev" },
  "a branch that only starts alike": { ref: "refs/heads/main2" },
  "a tag": { ref: "refs/tags/main" },
  "a pull request": { ref: "refs/pull/7/merge", trigger: "pull_request" },
  "a pull request that runs on main": { trigger: "pull_request_target" },
  "a comment": { trigger: "issue_comment" },
  "another issuer": { issuer: "https://token.actions.example.com" },
  "an issuer that only starts alike": { issuer: `${identity.issuer}/evil` },
  "somebody else's reusable workflow": { san: "https://github.com/evil/lib/.github/workflows/release.yml@refs/heads/main" },
  "a second @ in the name": { san: "https://github.com/acme/fleet/.github/workflows/release.yml@evil.yml@refs/heads/main" },
};

test("no other workflow counts", () => {
  for (const [name, other] of Object.entries(OTHERS)) {
    const fleet = fleetOf();
    assert.equal(
      answerTo(fleet, [rootText, bundleOver(fleet.head.release.bytes, { claims: { ...claims, ...other } })]),
      "RELEASE_UNPROVEN",
      name,
    );
  }
});

const root = parseTrustedRoot(sigstore.trustedRoot());

/** The code a bundle over "document" is refused with. */
function codeOf(options: Partial<SignOptions>, by = sigstore, under = root): string {
  const bytes = Buffer.from("document");
  try {
    verifyWorkflow(Buffer.from(by.sign(bytes, "x", { claims, at: AT, ...options })), { type: "x", bytes }, identity, under);
    return "accepted";
  } catch (err) {
    return (err as { code: string }).code;
  }
}

test("certificate, log, time and signature each have to hold", () => {
  assert.equal(codeOf({}), "accepted");
  const invalid: Readonly<Record<string, string>> = {
    "certificate over when the log saw it": codeOf({ issuedAt: new Date(AT.getTime() - HOUR) }),
    "certificate not yet valid when the log saw it": codeOf({ issuedAt: new Date(AT.getTime() + HOUR) }),
    "certificate over at the timestamp": codeOf({ log: "v2", issuedAt: new Date(AT.getTime() - HOUR) }),
    "no certificate log": codeOf({ withoutSct: true }),
    "another sigstore": codeOf({}, new TestSigstore(sigstore.since)),
    "logged under a thief's certificate": codeOf({ log: "v2", loggedClaims: { ...claims, repository: "evil/fleet" } }),
    "logged under a thief's certificate, v1": codeOf({ loggedClaims: { ...claims, repository: "evil/fleet" } }),
    "neither promise nor timestamp": codeOf({ change: (b) => delete b.verificationMaterial.tlogEntries[0].inclusionPromise }),
    "time of the log changed": codeOf({ change: (b) => (b.verificationMaterial.tlogEntries[0].integratedTime = "1795600000") }),
    "timestamp removed": codeOf({ log: "v2", change: (b) => (b.verificationMaterial.timestampVerificationData.rfc3161Timestamps = []) }),
    "proof of another entry": codeOf({ change: (b) => (b.verificationMaterial.tlogEntries[0].inclusionProof.logIndex = "0") }),
    "hashes of the proof changed": codeOf({
      change: (b) => (b.verificationMaterial.tlogEntries[0].inclusionProof.hashes = [Buffer.alloc(32).toString("base64")]),
    }),
    "checkpoint unsigned": codeOf({
      change: (b) =>
        (b.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint.envelope = "rekor.test\n2\nAAAA\n\n\u2014 rekor.test AAAAAAAA\n"),
    }),
    "signature of another payload": codeOf({ change: (b) => (b.dsseEnvelope.payload = Buffer.from("other").toString("base64")) }),
  };
  for (const [name, code] of Object.entries(invalid)) assert.equal(code, "WORKFLOW_SIGNATURE_INVALID", name);
});

test("a retired or future key of the log counts for nothing, with promise or timestamp", () => {
  const until = parseTrustedRoot(sigstore.trustedRoot({ logUntil: new Date(AT.getTime() - HOUR) }));
  const since = parseTrustedRoot(sigstore.trustedRoot({ logSince: new Date(AT.getTime() + HOUR) }));
  for (const log of ["v1", "v2"] as const)
    for (const under of [until, since]) assert.equal(codeOf({ log }, sigstore, under), "WORKFLOW_SIGNATURE_INVALID");
});

test("a bundle of another form is none", () => {
  const malformed: Readonly<Record<string, SignOptions["change"]>> = {
    "proof removed": (b) => delete b.verificationMaterial.tlogEntries[0].inclusionProof,
    "no log entry": (b) => (b.verificationMaterial.tlogEntries = []),
    "two log entries": (b) => b.verificationMaterial.tlogEntries.push(b.verificationMaterial.tlogEntries[0]),
    "a chain instead of a certificate": (b) => {
      b.verificationMaterial.x509CertificateChain = { certificates: [b.verificationMaterial.certificate] };
      delete b.verificationMaterial.certificate;
    },
    "a key beside the certificate": (b) => (b.verificationMaterial.publicKey = { hint: "x" }),
    "two signatures": (b) => b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0]),
  };
  for (const [name, change] of Object.entries(malformed)) assert.equal(codeOf({ change: change! }), "SIGSTORE_MALFORMED", name);
  assert.equal(codeOf({ change: (b) => (b.mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1") }), "SIGSTORE_MEDIA_TYPE");
  assert.equal(codeOf({ change: (b) => (b.dsseEnvelope.payloadType = "application/vnd.in-toto+json") }), "STATEMENT_TYPE_MISMATCH");
  assert.equal(codeOf({ claims: { ...claims, repositoryId: "7" } }), "WORKFLOW_IDENTITY_OTHER");
});

test("over other bytes, under another root or none at all, nothing is signed", () => {
  const fleet = fleetOf();
  const { bytes } = fleet.head.release;
  const stranger = new TestSigstore(sigstore.since);
  const strangersRoot = new TextDecoder().decode(stranger.trustedRoot());
  const good = bundleOver(bytes);
  assert.equal(answerTo(fleet, [rootText, bundleOver(Buffer.from("{}"))]), "RELEASE_UNPROVEN");
  assert.equal(answerTo(fleetOf(), [good]), "RELEASE_UNPROVEN", "no root");
  assert.equal(
    answerTo(fleet, [strangersRoot, bundleOver(bytes, {}, stranger)]),
    "RELEASE_UNPROVEN",
    "a root that the section does not name",
  );
  assert.equal(answerTo(fleet, ["{", "not json", rootText, good]), "accepted", "what anybody added is ignored");
});

test("a workflow of the release role signs nothing for access or root", () => {
  const fleet = fleetOf();
  const head = fleet.head.release;
  const stored = acceptRelease((withSigs(fleet, [rootText, bundleOver(head.bytes)]), fleet.inputFor("m1", null, fleet.trust.leaf))).after;
  fleet.machines.set("m1", [agentSection(1), pluginSection("mail", 2), grantSection("m1", "db", "mail")]);
  fleet.release([]);
  withSigs(fleet, [rootText, bundleOver(fleet.head.release.bytes)]);
  assert.equal(acceptRelease(fleet.inputFor("m1", stored, fleet.trust.leaf)).head.serial, 2, "a plugin, without a person");
  fleet.machines.set("m1", [agentSection(1), pluginSection("mail", 2), grantSection("m1", "db", "mail", "2")]);
  fleet.release([]);
  withSigs(fleet, [rootText, bundleOver(fleet.head.release.bytes)]);
  assert.throws(() => acceptRelease(fleet.inputFor("m1", stored, fleet.trust.leaf)), { code: "RELEASE_UNPROVEN" });
});

test("a trust section that gives root or access to a workflow or the hub, or leaves out what they need, is malformed", () => {
  const { section } = fleetOf().trust;
  const { ownerId: _ownerId, ...withoutOwner } = identity;
  const by = (change: object, extra: object = {}): Uint8Array =>
    canonBytes({ ...section, ...extra, roles: { ...section.roles, ...change } });
  const authors = digestOf("authors");
  const hub = { by: "hub", principals: ["hub"], threshold: 1, touch: "optional" };
  const refused: Readonly<Record<string, Uint8Array>> = {
    "root by ci": by({ root: BY_CI }),
    "access by ci": by({ access: BY_CI }),
    "root by hub": by({ root: hub }, { authors }),
    "access by hub": by({ access: hub }, { authors }),
    "ci without identity": by({ release: { by: "ci", principals: [], threshold: 1, touch: "optional" } }),
    "ci with principals": by({ release: { ...BY_CI, principals: ["a"] } }),
    "ci with a threshold of two": by({ release: { ...BY_CI, threshold: 2 } }),
    "ci without the owner's id": by({ release: { ...BY_CI, identity: withoutOwner } }),
    "ci with an empty id": by({ release: { ...BY_CI, identity: { ...identity, ownerId: "" } } }),
    "ci without a trusted root": by({}, { trustedRoot: null }),
    "people with an identity": by({ release: { by: "people", principals: ["a"], threshold: 1, touch: "optional", identity } }),
    "people with the hub among them": by({ access: { by: "people", principals: ["s", "hub"], threshold: 1, touch: "optional" } }),
    "hub with people": by({ release: { ...hub, principals: ["hub", "a"] } }, { authors }),
    "hub with nobody": by({ release: { ...hub, principals: [] } }, { authors }),
    "hub for statements": by({}, { actions: [{ actions: ["pause"], principals: ["hub"], maxSeconds: null }] }),
  };
  assert.equal(parseTrust(by({ release: hub, secrets: hub }, { authors })).section.roles.release.by, "hub");
  for (const [name, bytes] of Object.entries(refused)) assert.throws(() => parseTrust(bytes), { code: "TRUST_MALFORMED" }, name);
});

test("a trusted root without a start, with a foreign key or of another form is refused", () => {
  const json = (): any => JSON.parse(rootText);
  const refused: Readonly<Record<string, (root: any) => void>> = {
    "log key without a start": (root) => delete root.tlogs[0].publicKey.validFor.start,
    "authority without validFor": (root) => delete root.certificateAuthorities[0].validFor,
    "RSA log": (root) => (root.ctlogs[0].publicKey.keyDetails = "PKCS1_RSA_PKCS1V5"),
    "no key": (root) => (root.tlogs[0].publicKey.rawBytes = "AAAA"),
    "no certificate": (root) => (root.timestampAuthorities[0].certChain.certificates = []),
    "another media type": (root) => (root.mediaType = "application/json"),
    "a time that is none": (root) => (root.tlogs[0].publicKey.validFor.start = "yesterday"),
  };
  for (const [name, change] of Object.entries(refused)) {
    const changed = json();
    change(changed);
    assert.throws(() => parseTrustedRoot(Buffer.from(JSON.stringify(changed))), { code: "TRUSTED_ROOT_MALFORMED" }, name);
  }
  assert.throws(() => parseTrustedRoot(Buffer.from("[")), { code: "TRUSTED_ROOT_MALFORMED" });
});
