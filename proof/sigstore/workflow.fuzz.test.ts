import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type JsonObject, type Json } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { TestSigstore, WORKFLOW as identity } from "#test/proof/sigstore.ts";
import { parseTrustedRoot, verifyWorkflow } from "./index.ts";

const sigstore = new TestSigstore(new Date("2026-01-01T00:00:00Z"));
const root = parseTrustedRoot(sigstore.trustedRoot());
const payload = { type: "x", bytes: Buffer.from("document") };
const good = (["v1", "v2"] as const).map((log) =>
  sigstore.sign(payload.bytes, payload.type, { claims: { ...identity, trigger: "push" }, at: new Date("2026-11-25T10:00:00Z"), log }),
);

/** What it throws is ours, whatever the bytes. */
function verdict(bundle: string): "accepted" | "refused" {
  try {
    verifyWorkflow(Buffer.from(bundle), payload, identity, root);
    return "accepted";
  } catch (err) {
    assert.ok(err instanceof MooringError, String(err));
    return "refused";
  }
}

/** Every place in a JSON value that is not an object or list. */
function leavesOf(value: Json, path: readonly string[] = []): readonly (readonly string[])[] {
  if (value === null || typeof value !== "object") return [path];
  return Object.entries(value).flatMap(([name, item]) => leavesOf(item, [...path, name]));
}

function replaced(text: string, path: readonly string[], value: unknown): string {
  const json = JSON.parse(text) as JsonObject;
  const parent = path.slice(0, -1).reduce((at, name) => at[name] as JsonObject, json);
  Object.assign(parent, { [path.at(-1) ?? ""]: value });
  return JSON.stringify(json);
}

/** What sigstore itself does not authenticate; none of it decides anything here (it is neither shown nor compared). */
const UNAUTHENTICATED = /logIndex|rootHash|treeSize|keyid|mediaType|integratedTime/;

test("no other value anywhere in a bundle is taken, and none ends in a foreign error", () => {
  const places = good.flatMap((text) => leavesOf(JSON.parse(text) as Json).map((path) => ({ text, path })));
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.oneof(fc.jsonValue(), fc.base64String(), fc.integer()), ({ text, path }, value) => {
      const bundle = replaced(text, path, value);
      if (JSON.stringify(JSON.parse(text)) === bundle) return;
      const name = path.join(".");
      if (verdict(bundle) === "accepted") assert.match(name, UNAUTHENTICATED);
    }),
    { numRuns: 400 },
  );
});

test("a flipped byte anywhere in the certificate, the entry or the signature is never taken", () => {
  const fields = good.flatMap((text) =>
    leavesOf(JSON.parse(text) as Json)
      .filter((path) => ["rawBytes", "canonicalizedBody", "sig", "signedEntryTimestamp"].includes(path.at(-1) ?? ""))
      .map((path) => ({ text, path })),
  );
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.nat(), fc.integer({ min: 1, max: 255 }), ({ text, path }, at, mask) => {
      const value = path.reduce<Json>((found, name) => (found as JsonObject)[name] as Json, JSON.parse(text) as Json);
      const bytes = Buffer.from(typeof value === "string" ? value : "", "base64");
      const i = at % bytes.length;
      bytes[i] = (bytes[i] ?? 0) ^ mask;
      assert.equal(verdict(replaced(text, path, bytes.toString("base64"))), "refused");
    }),
    { numRuns: 300 },
  );
});

test("arbitrary text is refused as one of our errors, also as a trusted root", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.equal(verdict(text), "refused");
      assert.throws(() => parseTrustedRoot(Buffer.from(text)), { code: "TRUSTED_ROOT_MALFORMED" });
    }),
  );
});
