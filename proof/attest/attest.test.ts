import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { toBase64 } from "#base/canonical/index.ts";
import type { Attestation, Bytes64, SignedAttestation } from "#schemas/wire/index.ts";
import { composeAttestation, verifyAttestation } from "./attest.ts";

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = (key: KeyObject): string => key.export({ type: "spki", format: "der" }).toString("base64");
const nonce = "A".repeat(43) + "=";
const facts = {
  fleet: "acme",
  machine: "mini-01",
  nonce,
  incarnation: 1,
  generation: 4,
  revision: "1".repeat(40),
  epoch: 2,
  release: { serial: 7, digest: `sha256:${"0".repeat(64)}`, secretsSerial: 3 },
  treeSize: 12,
} as Omit<Attestation, "t">;
const wanted = { fleet: "acme", machine: "mini-01", nonce, key: spki(pair.publicKey) };

function signed(bytes: Uint8Array, domain = "mooring/attest/v1\n", key = pair.privateKey): SignedAttestation {
  const sig = sign("sha256", Buffer.concat([Buffer.from(domain), bytes]), { key, dsaEncoding: "ieee-p1363" });
  return { bytes: toBase64(bytes) as Bytes64, sig: toBase64(sig) as Bytes64 };
}

test("what a machine signed over our nonce is read", () => {
  assert.deepEqual(verifyAttestation(signed(composeAttestation(facts)), wanted), { t: "mooring/attest/v1", ...facts });
  const first = { ...facts, release: null, revision: null };
  assert.equal(verifyAttestation(signed(composeAttestation(first)), wanted).release, null);
});

test("another key, nonce, machine, fleet, domain, curve or spelling proves nothing", () => {
  const good = composeAttestation(facts);
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const refused = (item: SignedAttestation, more: Partial<typeof wanted> = {}): void =>
    assert.throws(() => verifyAttestation(item, { ...wanted, ...more }), { code: "ATTEST_UNPROVEN" });
  refused(signed(good, undefined, other.privateKey));
  refused(signed(good), { nonce: "B".repeat(43) + "=" });
  refused(signed(good), { machine: "mini-02" });
  refused(signed(good), { fleet: "other" });
  refused(signed(good), { key: "AAAA" });
  refused(signed(good, "mooring/envelope/v1\n"));
  refused(signed(good, undefined, p384.privateKey), { key: spki(p384.publicKey) });
  refused(signed(Buffer.from(JSON.stringify({ t: "mooring/attest/v1", ...facts }, null, 1))));
  refused(signed(composeAttestation({ ...facts, more: 1 } as typeof facts)));
  refused({ bytes: "?" as Bytes64, sig: signed(good).sig });
});

test("no flipped bit survives, and random bytes only ever prove nothing", () => {
  const good = signed(composeAttestation(facts));
  const bytes = Buffer.from(good.bytes, "base64");
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const bent = Buffer.from(bytes);
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => verifyAttestation({ ...good, bytes: toBase64(bent) as Bytes64 }, wanted), { code: "ATTEST_UNPROVEN" });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (random) =>
      assert.throws(() => verifyAttestation(signed(random), wanted), { code: "ATTEST_UNPROVEN" }),
    ),
  );
});
