import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAllowedSigners } from "#proof/sshsig/index.ts";
import { fileSigner, hardwareSigner } from "#test/proof/signer.ts";
import { type Authors, authorsKey, signatureRefusal } from "./commit-signature.ts";

const signers = [fileSigner(), fileSigner("nistp256"), hardwareSigner()];
const authors: Authors = {
  allowed: parseAllowedSigners(signers.map(({ key }, i) => `person${i} ${key}\n`).join("")),
  openpgp: null,
  serial: 1,
  now: 0,
};
const HEAD = `tree ${"a".repeat(40)}\nparent ${"b".repeat(40)}\nauthor Ann <a@acme.dev> 1790000000 +0000\ncommitter Ann <a@acme.dev> 1790000000 +0000\n`;
const TAIL = "\nmessage\n";

function commit(armored: string, head = HEAD, tail = TAIL): string {
  return `${head}gpgsig ${armored.trimEnd().replaceAll("\n", "\n ")}\n${tail}`;
}

const good = signers.map((signer) => commit(signer.sign(Buffer.from(HEAD + TAIL), "git")));

test("good commits are taken; with a line swapped, doubled, dropped or put in they are not, and nothing is thrown", async () => {
  for (const text of good) assert.equal(await signatureRefusal(Buffer.from(text), authors), null);
  const header = fc.constantFrom(
    "gpgsig x",
    "mergetag object y",
    " z",
    "encoding UTF-8",
    "",
    "parent " + "c".repeat(40),
    "author Eve <e@x> 1 +0000",
    "gpgsig-sha256",
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...good), fc.nat(), fc.nat(), fc.nat({ max: 3 }), header, async (text, from, to, how, extra) => {
      const lines = text.split("\n");
      const [i, j] = [from % (lines.length - 1), to % (lines.length - 1)];
      const [a, b] = [lines[i] ?? "", lines[j] ?? ""];
      if (how === 0) [lines[i], lines[j]] = [b, a];
      if (how === 1) lines.splice(i, 0, a);
      if (how === 2) lines.splice(i, 1);
      if (how === 3) lines.splice(i, 0, extra);
      const changed = lines.join("\n");
      if (changed === text || changed.replace(/^gpgsig-sha256.*\n(?: .*\n)*/m, "") === text) return;
      assert.notEqual(await signatureRefusal(Buffer.from(changed), authors), null);
    }),
    { numRuns: 600 },
  );
});

test("whatever OpenPGP armor holds, under whatever keys, it is refused without an error of the library", async () => {
  const armor = fc.base64String({ maxLength: 300 }).map((text) => `-----BEGIN PGP SIGNATURE-----\n\n${text}\n-----END PGP SIGNATURE-----`);
  const withKeys = { ...authors, openpgp: "" };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        armor,
        fc.string().map((text) => `-----BEGIN PGP SIGNATURE-----${text}`),
      ),
      async (text) => {
        assert.notEqual(await signatureRefusal(Buffer.from(commit(text)), withKeys), null);
      },
    ),
    { numRuns: 200 },
  );
});

test("what is remembered of a signature is forgotten with any change of keys, times, windows, serial or OpenPGP keys", () => {
  const [key = ""] = signers.map((signer) => signer.key);
  const of = (line: string, more: Partial<Authors> = {}): string =>
    authorsKey({ ...authors, allowed: parseAllowedSigners(`${line}\n`), ...more });
  const keys = [
    of(`a ${key}`),
    of(`b ${key}`),
    of(`a namespaces="git" ${key}`),
    of(`a namespaces="git",valid-before="20270101Z" ${key}`),
    of(`a ${key} mooring:until=3`),
    of(`a ${key}`, { serial: 2 }),
    of(`a ${key}`, { openpgp: "" }),
    of(`a ${key}`, { openpgp: "", now: 3_600_000 }),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(of(`a ${key}`, { now: 5 }), keys[0]);
});

test("an OpenPGP signature is one armor, with nothing around it that no key has signed", async () => {
  const openpgp = await import("openpgp");
  const { privateKey, publicKey } = await openpgp.generateKey({ userIDs: [{ email: "a@acme.dev" }], format: "object", type: "ecc" });
  const message = await openpgp.createMessage({ binary: Buffer.from(HEAD + TAIL) });
  const armored = String(await openpgp.sign({ message, signingKeys: privateKey, detached: true })).replaceAll("\r", "");
  const withKeys = { ...authors, openpgp: publicKey.armor(), now: Date.now() };
  assert.equal(await signatureRefusal(Buffer.from(commit(armored)), withKeys), null);
  for (const text of [`${armored}and more`, `${armored}\n${armored}`, `more\n${armored}`])
    assert.notEqual(await signatureRefusal(Buffer.from(commit(text)), withKeys), null);
});
