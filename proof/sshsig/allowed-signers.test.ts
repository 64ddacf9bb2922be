import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { hasCode } from "#base/errors/index.ts";
import { fileSigner, hardwareSigner } from "#test/proof/signer.ts";
import { parseAllowedSigners } from "./index.ts";

const a = fileSigner().key;
const b = fileSigner("nistp256").key;
const token = hardwareSigner().key;

test("principals, serial windows, touch and the vault's keys are read as trust wants them", () => {
  const text = `# who may sign
a@acme.dev,b@acme.dev namespaces="git,mooring-release" ${a} laptop of a mooring:from=4 mooring:until=9

c@acme.dev\t${token} yubikey
d@acme.dev ${token.replace(token, hardwareSigner("nistp256").key)} mooring:touch=optional
vault namespaces="mooring-secrets" ${fileSigner().key} mooring:until=70
`;
  const got = parseAllowedSigners(text);
  assert.deepEqual(Object.keys(got.keys), ["a@acme.dev", "b@acme.dev", "c@acme.dev", "d@acme.dev"]);
  assert.deepEqual(got.keys["a@acme.dev"], [{ key: a, touch: "optional", from: 4, until: 9 }]);
  assert.deepEqual(got.keys["b@acme.dev"], got.keys["a@acme.dev"]);
  assert.deepEqual(got.keys["c@acme.dev"], [{ key: token, touch: "required", from: 1, until: null }]);
  assert.equal(got.keys["d@acme.dev"]![0]!.touch, "optional");
  assert.deepEqual(
    got.vaultKeys.map(({ from, until }) => ({ from, until })),
    [{ from: 1, until: 70 }],
  );
  assert.deepEqual(got.namespaces.get(a), ["git", "mooring-release"]);
  assert.equal(got.namespaces.get(token), null);
  assert.deepEqual(parseAllowedSigners(""), { keys: {}, vaultKeys: [], namespaces: new Map(), times: new Map() });
});

test("keys for commits alone may have times and patterns of principals", () => {
  const got = parseAllowedSigners(
    `*@acme.dev,ann NameSpaces="git",valid-after="20260101Z",valid-before="202601021530Z" ${a}\nbob namespaces="git",valid-before="20260102153045Z" ${b}\n`,
  );
  assert.deepEqual(Object.keys(got.keys), ["*@acme.dev", "ann", "bob"]);
  assert.deepEqual(got.times.get(a), { after: Date.UTC(2026, 0, 1) / 1000, before: Date.UTC(2026, 0, 2, 15, 30) / 1000 });
  assert.deepEqual(got.times.get(b), { after: null, before: Date.UTC(2026, 0, 2, 15, 30, 45) / 1000 });
});

test("what cannot be honoured is refused with its line", () => {
  const bad = [
    `a cert-authority ${a}`,
    `a valid-after="20260101Z" ${a}`,
    `a namespaces="git,mooring-release",valid-after="20260101Z" ${a}`,
    `a namespaces="git",valid-after="20260101" ${a}`,
    `a namespaces="git",valid-after="20260230Z" ${a}`,
    `a namespaces="git",valid-after="2026Z" ${a}`,
    `a namespaces="git",valid-after="20260101Z",valid-after="20260101Z" ${a}`,
    `a namespaces="git",valid-after="20260102Z",valid-before="20260101Z" ${a}`,
    `a namespaces="git", ${a}`,
    `a namespaces=git ${a}`,
    `*@acme.dev ${a}`,
    `*@acme.dev namespaces="git,mooring-release" ${a}`,
    `!a,b ${a}`,
    `!a,* namespaces="git" ${a}`,
    `a[b] namespaces="git" ${a}`,
    `hub ${a}`,
    `hub namespaces="mooring-release" ${a}`,
    `hub,a namespaces="mooring-release,mooring-secrets" ${a}`,
    `hub namespaces="mooring-release,mooring-secrets" ${b}`,
    `a?c ${a}`,
    `a,a ${a}`,
    `a, ${a}`,
    `a namespaces="mooring-*" ${a}`,
    `a namespaces="git",cert-authority ${a}`,
    `a namespaces="" ${a}`,
    `a ${a.slice(0, -4)}`,
    `a ssh-dss AAAAB3NzaC1kc3M=`,
    `a ssh-ed25519`,
    "a",
    `a ${a} mooring:from=0`,
    `a ${a} mooring:from=5 mooring:until=4`,
    `a ${a} mooring:from=5 mooring:from=5`,
    `a ${a} mooring:touch=required`,
    `a ${token} mooring:touch=sometimes`,
    `a ${a} mooring:form=5`,
    `vault ${a}`,
    `vault,a namespaces="mooring-secrets" ${a}`,
    `vault namespaces="mooring-secrets,git" ${a}`,
    `vault namespaces="mooring-secrets" ${b}`,
    `a ${a}\u0007`,
  ];
  for (const line of bad)
    assert.throws(
      () => parseAllowedSigners(`# one\n\n${line}\n`),
      { code: "ALLOWED_SIGNERS_INVALID", message: "trust/allowed_signers:3" },
      line,
    );
  assert.throws(() => parseAllowedSigners(`a ${a}\na,b ${a}\n`), { code: "ALLOWED_SIGNERS_INVALID", have: 2 });
  assert.throws(() => parseAllowedSigners(`a ${a}\nb namespaces="git" ${a}\n`), { code: "ALLOWED_SIGNERS_INVALID", have: 2 });
  assert.throws(() => parseAllowedSigners(`a namespaces="git" ${a}\nb namespaces="git",valid-before="20260101Z" ${a}\n`), {
    code: "ALLOWED_SIGNERS_INVALID",
    have: 2,
  });
  assert.throws(() => parseAllowedSigners("#".repeat(300_000)), { code: "ALLOWED_SIGNERS_INVALID" });
});

test("any text is read or refused with a line", () => {
  const word = fc.constantFrom(
    "a",
    "vault",
    ",",
    " ",
    "\n",
    "\t",
    "#",
    a,
    token,
    'namespaces="git"',
    "cert-authority",
    "mooring:from=2",
    "mooring:until=",
    "\r",
    "é",
    '"',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      try {
        parseAllowedSigners(words.join(""));
      } catch (err) {
        if (!hasCode(err, "ALLOWED_SIGNERS_INVALID")) throw err;
      }
    }),
    { numRuns: 300 },
  );
});
