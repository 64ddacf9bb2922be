// oxlint-disable typescript/no-explicit-any -- the tests break parsed JSON in places that have no type
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonBytes, digestOf, type Json } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { timeOf } from "#base/time/index.ts";
import { parseStatement, statementBytes, verifyBundle, verifyPlugin } from "#proof/sigstore/index.ts";
import { bundleOver, jsonBytes, makeKey, parsed, signedPlugin } from "./support.ts";

const key = makeKey();
const good = await signedPlugin(key, "demo", "1.2.3", 7);
const proof = { tgz: good.packed.tgz, bundleJson: good.bundleJson };

/** Verifies the good bundle's JSON after `change`, and names the code it is refused with. */
function refusedAfter(change: (json: any) => void): string {
  const json = parsed(good.bundleJson);
  change(json);
  return codeOf(() => verifyPlugin({ ...proof, bundleJson: jsonBytes(json) }, good.want));
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (err) {
    if (err instanceof MooringError) return err.code;
    throw err;
  }
  return "accepted";
}

/** The good statement with one change, signed by the right key. */
function resigned(change: (statement: any) => void): string {
  const statement = JSON.parse(new TextDecoder().decode(verifyBundle(good.bundleJson, key.signer).payload));
  change(statement);
  return codeOf(() => verifyPlugin({ ...proof, bundleJson: jsonBytes(bundleOver(key, canonBytes(statement))) }, good.want));
}

test("a keyed bundle is accepted by archive and by digest, on P-256 and P-384", async () => {
  const statement = verifyPlugin(proof, good.want);
  assert.equal(statement.id, "demo");
  assert.equal(statement.serial, 7);
  assert.equal(statement.main, "dist/main.js");
  assert.deepEqual(parseStatement(statementBytes(statement)), statement);
  assert.deepEqual(verifyPlugin({ digest: good.packed.digest, bundleJson: good.bundleJson }, good.want), statement);
  const p384 = makeKey("P-384");
  const other = await signedPlugin(p384);
  assert.equal(verifyPlugin({ tgz: other.packed.tgz, bundleJson: other.bundleJson }, other.want).id, "demo");
});

test("both spellings of media type v0.3 count, every other is refused (f)", () => {
  assert.equal(
    refusedAfter((b) => (b.mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.3")),
    "accepted",
  );
  for (const type of [
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle.v9.9+json",
    "application/vnd.dev.sigstore.bundle.v0.3+json-x",
    "",
    3,
    null,
  ])
    assert.equal(
      refusedAfter((b) => (b.mediaType = type)),
      "SIGSTORE_MEDIA_TYPE",
      String(type),
    );
});

test("a valid attestation for one plugin does not install another (c)", async () => {
  const other = await signedPlugin(key, "other", "1.2.3", 7);
  assert.equal(
    codeOf(() => verifyPlugin({ tgz: good.packed.tgz, bundleJson: other.bundleJson }, good.want)),
    "STATEMENT_PLUGIN_MISMATCH",
  );
  assert.equal(
    codeOf(() => verifyPlugin({ tgz: other.packed.tgz, bundleJson: good.bundleJson }, good.want)),
    "STATEMENT_DIGEST_MISMATCH",
  );
  assert.equal(
    codeOf(() => verifyPlugin({ digest: other.packed.digest, bundleJson: good.bundleJson }, good.want)),
    "STATEMENT_DIGEST_MISMATCH",
  );
});

test("id, version, serial and digest are each compared with the request", () => {
  const refused = (change: object): string => codeOf(() => verifyPlugin(proof, { ...good.want, ...change }));
  assert.equal(refused({ id: "demo2" }), "STATEMENT_PLUGIN_MISMATCH");
  assert.equal(refused({ version: "1.2.4" }), "STATEMENT_VERSION_MISMATCH");
  assert.equal(refused({ serial: 8 }), "STATEMENT_SERIAL_MISMATCH");
  assert.equal(refused({ bundle: digestOf("x") }), "STATEMENT_DIGEST_MISMATCH");
});

test("the error says what was expected and what was found", () => {
  assert.throws(
    () => verifyPlugin(proof, { ...good.want, serial: 8 }),
    (err) => err instanceof MooringError && err.why === "expected 8, found 7",
  );
});

test("an attestation of another type does not count, well signed or not (d)", () => {
  assert.equal(
    resigned((s) => (s._type = "https://in-toto.io/Statement/v0.1")),
    "STATEMENT_TYPE_MISMATCH",
  );
  assert.equal(
    resigned((s) => (s.predicateType = "https://slsa.dev/provenance/v1")),
    "STATEMENT_TYPE_MISMATCH",
  );
  const payload = verifyBundle(good.bundleJson, key.signer).payload;
  const typed = jsonBytes(bundleOver(key, payload, "application/json"));
  assert.equal(
    codeOf(() => verifyPlugin({ ...proof, bundleJson: typed }, good.want)),
    "STATEMENT_TYPE_MISMATCH",
  );
  assert.equal(
    refusedAfter((b) => (b.dsseEnvelope.payloadType = "text/plain")),
    "STATEMENT_TYPE_MISMATCH",
  );
});

test("a statement is read strictly even when it is well signed", () => {
  for (const change of [
    (s: any) => (s.extra = 1),
    (s: any) => (s.subject[0].extra = 1),
    (s: any) => (s.predicate.extra = 1),
    (s: any) => delete s.predicate.closed,
    (s: any) => (s.predicate.closed = false),
    (s: any) => s.subject.push(s.subject[0]),
    (s: any) => (s.subject = []),
    (s: any) => (s.subject[0].name = "pkg:openclaw/demo@1.2.4"),
    (s: any) => (s.subject[0].digest.md5 = "0"),
    (s: any) => (s.subject[0].digest.sha256 = s.subject[0].digest.sha256.toUpperCase()),
    (s: any) => delete s.subject[0].digest.sha512,
    (s: any) => s.predicate.files.reverse(),
    (s: any) => s.predicate.files.pop(),
    (s: any) => (s.predicate.files[0][1] = 0o777),
    (s: any) => (s.predicate.files[0][2] = -1),
    (s: any) => (s.predicate.main = "dist/other.js"),
    (s: any) => (s.predicate.serial = 1.5),
    (s: any) => (s.predicate.serial = 0),
    (s: any) => (s.predicate.tree = digestOf("x")),
    (s: any) => (s.predicate.version = "latest"),
  ])
    assert.equal(resigned(change), "BUNDLE_STATEMENT_MALFORMED", String(change));
  assert.equal(
    resigned((s) => (s.subject[0].digest.sha512 = "0".repeat(128))),
    "STATEMENT_DIGEST_MISMATCH",
  );
  const spaced = new TextEncoder().encode(`${new TextDecoder().decode(verifyBundle(good.bundleJson, key.signer).payload)}\n`);
  assert.equal(
    codeOf(() => verifyPlugin({ ...proof, bundleJson: jsonBytes(bundleOver(key, spaced)) }, good.want)),
    "BUNDLE_STATEMENT_MALFORMED",
  );
});

test("another key, or the right hint with another key's signature, is refused", async () => {
  const thief = makeKey();
  const stolen = await signedPlugin(thief, "demo", "1.2.3", 7);
  assert.equal(
    codeOf(() => verifyPlugin({ ...proof, bundleJson: stolen.bundleJson }, good.want)),
    "SIGSTORE_SIGNER_MISMATCH",
  );
  const posing = parsed(stolen.bundleJson) as any;
  posing.verificationMaterial.publicKey.hint = key.hint;
  assert.equal(
    codeOf(() => verifyPlugin({ ...proof, bundleJson: jsonBytes(posing) }, good.want)),
    "SIGSTORE_SIGNATURE_INVALID",
  );
  assert.equal(
    refusedAfter((b) => (b.verificationMaterial.publicKey.hint = "")),
    "SIGSTORE_SIGNER_MISMATCH",
  );
});

test("a key counts only inside its window, against now, since nothing else is proven (k)", () => {
  const at = (from: number | null, until: number | null): string =>
    codeOf(() =>
      verifyBundle(good.bundleJson, key.signer, {
        from: from === null ? null : timeOf(from),
        until: until === null ? null : timeOf(until),
        now: timeOf(1000),
      }),
    );
  assert.equal(at(null, null), "accepted");
  assert.equal(at(1000, 1000), "accepted");
  assert.equal(at(null, 999), "SIGSTORE_KEY_EXPIRED");
  assert.equal(at(1001, null), "SIGSTORE_KEY_EXPIRED");
});

test("a message signature says nothing of its subject and is refused (l)", () => {
  const code = refusedAfter((b) => {
    const digest = Buffer.from(good.packed.digest.slice(7), "hex").toString("base64");
    b.messageSignature = { messageDigest: { algorithm: "SHA2_256", digest }, signature: b.dsseEnvelope.signatures[0].sig };
    delete b.dsseEnvelope;
  });
  assert.equal(code, "SIGSTORE_MALFORMED");
});

test("certificates, second signatures, unknown members and sloppy base64 are refused", () => {
  const certificate = { rawBytes: "AAAA" };
  const both = (b: any): unknown => (b.verificationMaterial.certificate = certificate);
  assert.equal(refusedAfter(both), "SIGSTORE_MALFORMED");
  assert.equal(
    refusedAfter((b) => (b.verificationMaterial.x509CertificateChain = { certificates: [certificate] })),
    "SIGSTORE_MALFORMED",
  );
  assert.equal(
    refusedAfter((b) => (b.verificationMaterial = { certificate })),
    "SIGSTORE_SIGNER_MISMATCH",
  );
  for (const change of [
    (b: any) => b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0]),
    (b: any) => (b.dsseEnvelope.signatures = []),
    (b: any) => (b.dsseEnvelope.signatures = { 0: b.dsseEnvelope.signatures[0], length: 1 }),
    (b: any) => (b.dsseEnvelope.payload = b.dsseEnvelope.payload.slice(0, -3)),
    (b: any) => (b.dsseEnvelope.payload += "\n"),
    (b: any) => (b.dsseEnvelope.signatures[0].sig = ""),
    (b: any) => (b.dsseEnvelope.signatures[0].sig = b.dsseEnvelope.signatures[0].sig.slice(0, -1)),
    (b: any) => (b.dsseEnvelope.signatures[0].keyid = 1),
    (b: any) => (b.dsseEnvelope.extra = 1),
    (b: any) => (b.extra = 1),
    (b: any) => (b.verificationMaterial.extra = 1),
    (b: any) => (b.verificationMaterial.publicKey.rawBytes = key.spki),
    (b: any) => delete b.verificationMaterial.publicKey,
    (b: any) => delete b.verificationMaterial,
    (b: any) => delete b.dsseEnvelope,
  ])
    assert.equal(refusedAfter(change), "SIGSTORE_MALFORMED", String(change));
  for (const bytes of ["", "null", "[]", "{", "\uFFFD"])
    assert.equal(
      codeOf(() => verifyBundle(new TextEncoder().encode(bytes), key.signer)),
      "SIGSTORE_MALFORMED",
    );
});

test("what is not verified yet is refused, never ignored", () => {
  assert.equal(
    refusedAfter((b) => (b.verificationMaterial.tlogEntries = [{}])),
    "NOT_YET",
  );
  assert.equal(
    refusedAfter((b) => (b.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: "AA==" }] })),
    "NOT_YET",
  );
  assert.equal(
    codeOf(() => verifyPlugin(proof, { ...good.want, signer: { keyless: { issuer: "https://issuer.example" } } })),
    "NOT_YET",
  );
});

test("an expected signer of another form or curve is refused", () => {
  const der = Buffer.from(key.spki, "base64");
  const padded = Buffer.concat([der, Buffer.from([0])]).toString("base64");
  const signers: Json[] = [
    null,
    "key",
    {},
    { key: 1 },
    { key: "!" },
    { key: "AAAA" },
    { key: makeKey("secp256k1").spki },
    { key: padded },
    { key: key.spki, extra: 1 },
  ];
  for (const signer of signers)
    assert.equal(
      codeOf(() => verifyPlugin(proof, { ...good.want, signer })),
      "SIGNER_INVALID",
      JSON.stringify(signer),
    );
});

test("no change to one byte of a bundle is accepted, unless it stays the same statement", () => {
  const original = verifyPlugin(proof, good.want);
  fc.assert(
    fc.property(fc.nat(good.bundleJson.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const bundleJson = good.bundleJson.slice();
      bundleJson[at] = byte;
      let statement: unknown;
      try {
        statement = verifyPlugin({ ...proof, bundleJson }, good.want);
      } catch (err) {
        assert.ok(err instanceof MooringError, "only our errors leave the verifier");
        return;
      }
      assert.deepEqual(statement, original);
    }),
    { numRuns: 400 },
  );
});

test("any JSON in place of a bundle or signer gives one of our errors", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.jsonValue(),
      fc.constantFrom("mediaType", "verificationMaterial", "dsseEnvelope"),
      (value, signer, member) => {
        const json = { ...parsed(good.bundleJson), [member]: value };
        for (const bytes of [jsonBytes(value), jsonBytes(json)])
          assert.notEqual(
            codeOf(() => verifyBundle(bytes, key.signer)),
            "accepted",
          );
        assert.notEqual(
          codeOf(() => verifyBundle(good.bundleJson, signer as Json)),
          "accepted",
        );
      },
    ),
  );
});
