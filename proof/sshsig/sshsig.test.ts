import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fromBase64 } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { armor, armorBlob, fileSigner, hardwareSigner } from "#test/proof/signer.ts";
import { parseKeyText, parseSshsig, sshString, verifySshsig } from "./index.ts";

const message = Buffer.from("what was reviewed is what runs");
const NS = "mooring-release";

test("a file key signs in both hashes, and is named by its key", () => {
  for (const kind of ["ed25519", "nistp256"] as const) {
    const signer = fileSigner(kind);
    for (const hash of ["sha256", "sha512"] as const) {
      assert.deepEqual(verifySshsig(signer.sign(message, NS, { hash }), message, NS), {
        key: signer.key,
        sk: false,
        touched: false,
        userVerified: false,
        counter: null,
      });
    }
  }
});

test("a hardware key tells whether it was touched and whether it asked for a PIN", () => {
  for (const kind of ["ed25519", "nistp256"] as const) {
    const signer = hardwareSigner(kind);
    for (const [flags, touched, userVerified] of [
      [0, false, false],
      [1, true, false],
      [5, true, true],
      [4, false, true],
    ] as const) {
      const got = verifySshsig(signer.sign(message, NS, { flags, counter: 4_000_000_000 }), message, NS);
      assert.deepEqual(got, { key: signer.key, sk: true, touched, userVerified, counter: 4_000_000_000 });
    }
  }
});

test("a touch claimed afterwards makes the signature wrong", () => {
  const signer = hardwareSigner();
  const blob = Buffer.from(signer.sign(message, NS, { flags: 0 }).split("\n").slice(1, -2).join(""), "base64");
  blob[blob.length - 5] = 1;
  assert.equal(verifySshsig(armorBlob(blob), message, NS), null);
});

test("other bytes, another namespace, a tail or a prefix of it: no signature", () => {
  const armored = fileSigner().sign(message, NS);
  assert.equal(verifySshsig(armored, Buffer.from("other"), NS), null);
  for (const namespace of ["git", "mooring-secrets", `${NS}2`, "mooring", ""])
    assert.equal(verifySshsig(armored, message, namespace), null);
});

test("bytes that are no SSHSIG are refused with a reason", () => {
  const good = fileSigner().sign(message, NS);
  const blob = fromBase64(good.split("\n").slice(1, -2).join(""), "test");
  const bad = [
    "",
    "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
    good.replace("SSH SIGNATURE", "PGP SIGNATURE"),
    `${good}\n`,
    ` ${good}`,
    good.replaceAll("\n", "\r\n"),
    good.replace("=", "-"),
    "x".repeat(20_000),
    armorBlob(blob.slice(0, -1)),
    armorBlob(Buffer.concat([blob, Buffer.from([0])])),
    armorBlob(Buffer.concat([blob.slice(0, 9), Buffer.from([2]), blob.slice(10)])),
  ];
  for (const text of bad)
    assert.throws(() => verifySshsig(text, message, NS), { code: "SSHSIG_MALFORMED" }, JSON.stringify(text.slice(0, 60)));
  const key = fromBase64(fileSigner().key.split(" ")[1]!, "test");
  const inner = Buffer.concat([sshString("ssh-ed25519"), sshString(new Uint8Array(64))]);
  for (const [k, ns, hash] of [
    [key, "", "sha512"],
    [key, NS, "md5"],
    [key, NS, "sha1"],
    [new Uint8Array(3), NS, "sha512"],
    [sshString("ssh-dss"), NS, "sha512"],
  ] as const) {
    assert.throws(() => verifySshsig(armor(k, ns, hash, inner), message, NS), { code: "SSHSIG_MALFORMED" });
  }
  assert.throws(() => verifySshsig(armor(key, NS, "sha512", Buffer.concat([inner, Buffer.from([0])])), message, NS), {
    code: "SSHSIG_MALFORMED",
  });
  assert.equal(verifySshsig(armor(key, NS, "sha512", inner), message, NS), null);
  const other = Buffer.concat([sshString("ssh-rsa"), sshString(new Uint8Array(64))]);
  assert.equal(verifySshsig(armor(key, NS, "sha512", other), message, NS), null); // algorithm is not the key's
});

test("keys in another spelling, off their curve or for a web site are refused", () => {
  const good = fileSigner().key;
  const [, base64] = good.split(" ") as [string, string];
  const point = Buffer.concat([
    sshString("ecdsa-sha2-nistp256"),
    sshString("nistp256"),
    sshString(Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)])),
  ]);
  const small = Buffer.concat([
    sshString("ssh-rsa"),
    sshString(Buffer.from([1, 0, 1])),
    sshString(Buffer.concat([Buffer.from([0, 0x91]), Buffer.alloc(127, 1)])),
  ]);
  const bad = [
    "",
    "ssh-ed25519",
    `${good} comment`,
    `ecdsa-sha2-nistp256 ${base64}`,
    `ssh-ed25519 ${base64.slice(0, -2)}`,
    `ssh-ed25519 ${base64}=`,
    hardwareSigner("ed25519", "https://example.net").key,
    `ecdsa-sha2-nistp256 ${point.toString("base64")}`,
    `ssh-rsa ${small.toString("base64")}`,
  ];
  for (const text of bad) assert.throws(() => parseKeyText(text), { code: "SSH_KEY_MALFORMED" }, text);
  assert.equal(parseKeyText(good).text, good);
});

test("whatever byte of a signature changes, nobody has signed", () => {
  const signers = [fileSigner(), fileSigner("nistp256"), hardwareSigner(), hardwareSigner("nistp256")];
  const blobs = signers.map((signer) => fromBase64(signer.sign(message, NS).split("\n").slice(1, -2).join(""), "test"));
  fc.assert(
    fc.property(fc.nat({ max: 3 }), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.string({ maxLength: 60 }), (which, where, xor, junk) => {
      const blob = blobs[which]!.slice();
      blob[where % blob.length]! ^= xor;
      for (const text of [armorBlob(blob), junk, armorBlob(blob.slice(0, where % blob.length))]) assert.equal(signerOf(text), null);
    }),
    { numRuns: 300 },
  );
});

function signerOf(text: string): unknown {
  try {
    parseSshsig(text);
    return verifySshsig(text, message, NS);
  } catch (err) {
    if (hasCode(err, "SSHSIG_MALFORMED")) return null;
    throw err;
  }
}
