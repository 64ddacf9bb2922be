import assert from "node:assert/strict";
import { createECDH, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { canonBytes, digestOf, fromBase64, toBase64 } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import type { Bytes64, Envelope, FleetId, IdentitySection, MachineId, PluginId, SecretRef, VaultKey } from "#schemas/wire/index.ts";
import type { SecureMemory } from "#seal/cleartext/index.ts";
import { recipientOf } from "#seal/hpke/index.ts";
import {
  bindingOf,
  openEnvelope,
  sealEnvelope,
  signEnvelope,
  signLease,
  type VaultSigner,
  vaultKeyText,
  verifyEnvelope,
  verifyLease,
} from "./index.ts";

const HEAP: SecureMemory = {
  alloc: (size) => Buffer.alloc(size),
  zero: (buffer) => void buffer.fill(0),
  free: (buffer) => void buffer.fill(0),
};

function vault(): VaultSigner {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { key: vaultKeyText(publicKey), sign: (message) => new Uint8Array(sign(null, message, privateKey)) };
}

function machine() {
  const key = createECDH("prime256v1");
  const point = new Uint8Array(key.generateKeys());
  const identity: IdentitySection = {
    kind: "identity",
    incarnation: 1,
    kx: recipientOf(point),
    sig: "c2ln",
    driver: "software",
    mode: "manage",
    classes: ["machines"],
  };
  return { point, identity, ecdh: async (peer: Uint8Array) => key.computeSecret(peer) };
}

const own = machine();
const binding = bindingOf({
  fleet: "acme" as FleetId,
  machine: "mini-01" as MachineId,
  identity: own.identity,
  grant: {
    kind: "grant",
    name: "mail-imap",
    grant: { subject: "mail" as PluginId, ref: "secret://team/imap" as SecretRef, delivery: { mode: "fd" }, expires: null },
    key: digestOf(own.identity.kx),
  },
  grantLeaf: digestOf("grant leaf"),
  bundle: digestOf("bundle"),
  secret: { kind: "secret", name: "team/imap", version: 3, file: digestOf("file") },
  bindingSerial: 7,
  notBefore: timeOf(0),
  notAfter: timeOf(1000),
});
const signer = vault();
const keys = (signers: readonly VaultSigner[], from = 1, until: number | null = null): VaultKey[] =>
  signers.map(({ key }) => ({ key, from, until }));
const secret = new TextEncoder().encode("s3cret");

test("an envelope opens on its machine and says what it is good for", async () => {
  const envelope = sealEnvelope(binding, own.point, secret, signer);
  assert.deepEqual(verifyEnvelope(envelope, keys([vault(), signer]), 5), binding);
  const clear = await openEnvelope(envelope, own.ecdh, own.point, HEAP);
  assert.equal(await clear.reveal((bytes) => bytes.toString()), "s3cret");
  const other = machine();
  await assert.rejects(openEnvelope(envelope, other.ecdh, other.point, HEAP), { code: "SEAL_UNOPENED" });
});

test("an envelope counts only inside its signer's window and set", () => {
  const envelope = sealEnvelope(binding, own.point, secret, signer);
  for (const [set, serial] of [
    [keys([vault()]), 5],
    [[], 5],
    [keys([signer], 6), 5],
    [keys([signer], 1, 4), 5],
    [[{ key: `${signer.key} comment`, from: 1, until: null }], 5],
    [[{ key: "ssh-rsa AAAA", from: 1, until: null }], 5],
  ] as const)
    assert.throws(() => verifyEnvelope(envelope, set, serial), { code: "ENVELOPE_REFUSED" });
  verifyEnvelope(envelope, keys([signer], 5, 5), 5);
});

test("whatever bit of an envelope changes, it is refused", () => {
  const envelope = sealEnvelope(binding, own.point, secret, signer);
  fc.assert(
    fc.property(fc.constantFrom("aad", "enc", "ct", "sig"), fc.nat(), (name, at) => {
      const bytes = fromBase64(envelope[name], name).slice();
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << (at % 8));
      const bent: Envelope = { ...envelope, [name]: toBase64(bytes) };
      assert.throws(() => verifyEnvelope(bent, keys([signer]), 5), { code: "ENVELOPE_REFUSED" });
    }),
  );
  assert.throws(() => verifyEnvelope({ ...envelope, suite: "other" as Envelope["suite"] }, keys([signer]), 5), {
    code: "ENVELOPE_REFUSED",
  });
  assert.throws(() => verifyEnvelope({ ...envelope, sig: "*" as Bytes64 }, keys([signer]), 5), { code: "BASE64_MALFORMED" });
});

test("parts moved across the frame's borders are another message", () => {
  const { aad, enc, ct, ...rest } = sealEnvelope(binding, own.point, secret, signer);
  const parts = [aad, enc, ct].map((part) => Buffer.from(part, "base64"));
  const [a, e, c] = parts as [Buffer, Buffer, Buffer];
  const moved = {
    ...rest,
    aad: toBase64(Buffer.concat([a, e.subarray(0, 1)])) as Bytes64,
    enc: toBase64(e.subarray(1)) as Bytes64,
    ct: toBase64(c) as Bytes64,
  };
  assert.throws(() => verifyEnvelope(moved, keys([signer]), 5), { code: "ENVELOPE_REFUSED" });
});

test("a signed envelope whose additional data is no canonical binding is refused", () => {
  const enc = new Uint8Array(65);
  const ct = new Uint8Array(16);
  const loose = new TextEncoder().encode(JSON.stringify(binding, null, 1));
  for (const aad of [loose, canonBytes({ ...binding, extra: 1 }), canonBytes([]), new Uint8Array(0), Uint8Array.of(255)])
    assert.throws(() => verifyEnvelope(signEnvelope({ aad, enc, ct }, signer), keys([signer]), 5), { code: "ENVELOPE_REFUSED" });
});

test("a lease is verified like an envelope and is never taken for one", () => {
  const lease = {
    t: "mooring/lease/v1",
    fleet: "acme" as FleetId,
    machine: "mini-01" as MachineId,
    key: digestOf("kx"),
    serial: 1,
    notBefore: timeOf(0),
    notAfter: timeOf(9),
  } as const;
  const signed = signLease(lease, signer);
  assert.deepEqual(verifyLease(signed, keys([signer]), 5), lease);
  const later = canonBytes({ ...lease, notAfter: timeOf(99) });
  assert.throws(() => verifyLease({ ...signed, bytes: toBase64(later) as Bytes64 }, keys([signer]), 5), { code: "LEASE_REFUSED" });
  assert.throws(() => verifyLease(signed, keys([signer], 6), 5), { code: "LEASE_REFUSED" });
  const loose = signLease({ ...lease, extra: 1 } as unknown as typeof lease, signer);
  assert.throws(() => verifyLease(loose, keys([signer]), 5), { code: "LEASE_REFUSED" });
});
