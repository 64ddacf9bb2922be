import assert from "node:assert/strict";
import { test } from "node:test";
import { timeOf } from "#base/time/index.ts";
import { parseAllowedSigners } from "#proof/sshsig/index.ts";
import { fileSigner, type TestSigner } from "#test/proof/signer.ts";
import { commitInfo } from "./commit.ts";

const AT = Date.parse("2026-11-25T10:00:00.000Z");
const ID = "ab".repeat(20);

function raw(signer: TestSigner | null, at = AT): Uint8Array {
  const head = `tree ${"1".repeat(40)}\nauthor A <a@acme.dev> ${at / 1000} +0100\ncommitter B <b@acme.dev> ${at / 1000} +0100\n`;
  const rest = "\nwhy\n";
  const sig = signer
    ?.sign(Buffer.from(head + rest), "git")
    .trimEnd()
    .replaceAll("\n", "\n ");
  return Buffer.from(`${head}${sig === undefined ? "" : `gpgsig ${sig}\n`}${rest}`);
}

function trustIn(lines: string) {
  return { signers: parseAllowedSigners(lines), keys: {}, recipients: [], trustedRoot: null };
}

test("a commit says who wrote it, and who signed it only by a key that may sign commits now", () => {
  const [ann, bob] = [fileSigner(), fileSigner()];
  const now = timeOf(AT + 1000);
  const trust = trustIn(`ann@acme.dev ${ann.key}\nbob@acme.dev namespaces="mooring-release,mooring-secrets,mooring-action" ${bob.key}\n`);
  const of = (signer: TestSigner | null) => commitInfo({ id: ID, raw: raw(signer), now }, trust, 1);
  assert.deepEqual(of(ann), { id: ID, author: "A <a@acme.dev>", time: timeOf(AT), signed: true, signer: "ann@acme.dev" });
  for (const signer of [bob, fileSigner(), null]) assert.deepEqual([of(signer).signed, of(signer).signer], [false, null]);
});

test("a commit dated in the future is taken as of now", () => {
  const now = timeOf(AT);
  assert.equal(commitInfo({ id: ID, raw: raw(null, AT + 86_400_000 * 3650), now }, trustIn(""), 1).time, now);
});
