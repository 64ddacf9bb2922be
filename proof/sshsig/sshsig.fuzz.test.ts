import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toBase64 } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { fileSigner, hardwareSigner } from "#test/proof/signer.ts";
import { parseSshsig, sshString, verifySshsig } from "./index.ts";

const message = Buffer.from("what was signed");
const blobs = [fileSigner(), fileSigner("nistp256"), hardwareSigner(), hardwareSigner("nistp256")].map((signer) =>
  blobOf(signer.sign(message, "git")),
);

function blobOf(armored: string): Buffer {
  return Buffer.from(armored.split("\n").slice(1, -2).join(""), "base64");
}

function armored(blob: Uint8Array): string {
  const lines = toBase64(blob).match(/.{1,70}/g) ?? [""];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join("\n")}\n-----END SSH SIGNATURE-----\n`;
}

/** Nobody, or a reason; anything else is a fault of ours. */
function signedBy(text: string): string | null {
  try {
    return verifySshsig(text, message, "git")?.key ?? null;
  } catch (err) {
    if (hasCode(err, "SSHSIG_MALFORMED")) return null;
    throw err;
  }
}

/** The length-prefixed fields behind magic and version. */
function fieldsOf(blob: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 10; at < blob.length; at += 4 + blob.readUInt32BE(at)) fields.push(blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at)));
  return fields;
}

function joined(fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from("SSHSIG"), Buffer.from([0, 0, 0, 1]), ...fields.map((field) => sshString(field))]);
}

test("fields swapped, doubled, dropped, emptied or of another signature never sign", () => {
  const field = fc.nat({ max: 4 });
  fc.assert(
    fc.property(
      fc.constantFrom(...blobs),
      fc.constantFrom(...blobs),
      field,
      field,
      fc.nat({ max: 4 }),
      fc.uint8Array({ maxLength: 80 }),
      (blob, other, i, j, how, junk) => {
        const fields = fieldsOf(blob);
        assert.ok(joined(fields).equals(blob));
        const [a, b] = [fields[i] ?? junk, fields[j] ?? junk];
        if (how === 0) [fields[i], fields[j]] = [Buffer.from(b), Buffer.from(a)];
        if (how === 1) fields.splice(i, 0, Buffer.from(a));
        if (how === 2) fields.splice(i, 1);
        if (how === 3) fields[i] = Buffer.from(junk);
        if (how === 4) fields[i] = fieldsOf(other)[i] ?? Buffer.from(junk);
        if (joined(fields).equals(blob)) return;
        assert.equal(signedBy(armored(joined(fields))), null);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("a length that lies, anywhere, is refused and reads nothing beyond the end", () => {
  fc.assert(
    fc.property(fc.constantFrom(...blobs), fc.nat(), fc.constantFrom(0, 1, 0x7f, 0xff, 0x7fffffff, 0xffffffff), (blob, where, length) => {
      const changed = Buffer.from(blob);
      const at = where % (blob.length - 4);
      changed.writeUInt32BE(length, at);
      if (!changed.equals(blob)) assert.equal(signedBy(armored(changed)), null);
    }),
    { numRuns: 1_000 },
  );
});

test("armor of any text is read or refused", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `-----BEGIN SSH SIGNATURE-----\n${text}\n-----END SSH SIGNATURE-----`),
      ),
      (text) => {
        assert.throws(() => parseSshsig(text), { code: "SSHSIG_MALFORMED" });
      },
    ),
  );
});
