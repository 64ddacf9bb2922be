import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import type { Bytes64, Envelope, SignedLease } from "#schemas/wire/index.ts";
import { world } from "#test/bridge/world.ts";

const SECRET = Buffer.from("correct horse battery");
const bytes = fc.uint8Array({ maxLength: 200 });
const text = fc.oneof(
  bytes.map((some) => toBase64(some)),
  fc.string({ maxLength: 40 }),
);

test("whatever a hostile hub main has the bridge open, keep or take, it answers with an error of ours, lives on and never gives a secret out", async (t) => {
  const w = await world(t);
  await w.provision(SECRET);
  const good = w.envelope(SECRET);
  const lease = w.lease();
  const part = (name: "enc" | "aad" | "ct"): Uint8Array => fromBase64(good[name], "test");
  const either = (name: "enc" | "aad" | "ct") => fc.oneof(bytes, fc.constant(part(name)), fc.constant(part(name).subarray(1)));
  await fc.assert(
    fc.asyncProperty(fc.record({ enc: either("enc"), aad: either("aad"), ct: either("ct") }), async (sealed) => {
      await assert.rejects(w.bridge.unwrap(sealed), { name: "MooringError" });
    }),
    { numRuns: 60 },
  );
  const member = fc.oneof(text, fc.constant(null), fc.integer(), fc.object({ maxDepth: 1 }));
  const bent = fc.dictionary(fc.constantFrom("v", "suite", "aad", "enc", "ct", "signer", "sig"), member);
  await fc.assert(
    fc.asyncProperty(bent, async (change) => {
      fc.pre(Object.keys(change).length > 0);
      const { items } = await w.bridge.bindings([bentEnvelope(good, change)], []);
      assert.deepEqual(
        items.map(({ outcome }) => outcome),
        ["refused"],
      );
    }),
    { numRuns: 60 },
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom("bytes", "signer", "sig"), member), async (change) => {
      fc.pre(Object.keys(change).length > 0);
      await assert.rejects(w.bridge.lease(bentLease(lease, change)), { name: "MooringError" });
    }),
    { numRuns: 60 },
  );
  assert.deepEqual(w.exits, [], "the bridge is the one that was started");
  await w.verify();
});

test("a signature the bridge gives is over its own domain: asked for a log's note, a lease or an envelope it signs none of them", async (t) => {
  const w = await world(t);
  const { bytes: signed } = w.lease();
  const forged = toBase64(await w.bridge.sign(fromBase64(signed, "lease"))) as Bytes64;
  await w.bridge.state(w.state());
  await assert.rejects(w.bridge.lease({ ...w.lease(), sig: forged }), { code: "LEASE_REFUSED" });
});

test("keys, envelopes, lease and log of a bridge are its own user's alone", async (t) => {
  const w = await world(t);
  await w.provision(SECRET);
  const open = readdirSync(w.dir, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => (statSync(path).mode & 0o077) !== 0);
  assert.deepEqual(open, []);
});

/** What no type would let through, as a hostile sender writes it. */
function bentEnvelope(good: Envelope, change: object): Envelope {
  return Object.assign({ ...good }, change);
}

function bentLease(good: SignedLease, change: object): SignedLease {
  return Object.assign({ ...good }, change);
}
