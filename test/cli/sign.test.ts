/** Keys and signatures: real ssh-keygen, real ssh-agent. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { publicHalf, signerOf } from "#cli/sign/index.ts";
import { verifySshsig } from "#proof/sshsig/index.ts";
import { parseTrust } from "#proof/release/index.ts";
import type { PrincipalKey, TrustSection } from "#schemas/wire/index.ts";
import { trustBytes } from "#test/proof/fleet.ts";
import { hardwareSigner } from "#test/proof/signer.ts";
import { newPerson } from "#test/support/fleet-fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "sg-"));
after(() => rmSync(folder, { recursive: true }));
const ANN = newPerson(folder, "ann");
const MESSAGE = new TextEncoder().encode("what is signed");

function trustOf(...keys: readonly Partial<PrincipalKey>[]): TrustSection {
  const role = { principals: ["ann"], threshold: 1 };
  const { section } = parseTrust(trustBytes(new Map(), { root: role, release: role, access: role, secrets: role }));
  return { ...section, keys: { ann: keys.map((key) => ({ key: ANN.key, touch: "optional", from: 1, until: null, ...key })) } };
}

test("a file key signs, and the signature is the principal's", async () => {
  const signer = await signerOf({ key: ANN.keyFile, as: "ann" }, [trustOf({})], 1);
  const armored = await signer.sign(MESSAGE, "mooring-release");
  assert.equal(verifySshsig(armored, MESSAGE, "mooring-release")?.key, ANN.key);
});

test("a key in ssh-agent signs, named by its .pub file", async (t) => {
  const socket = join(folder, "agent.sock");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
  const before = process.env["SSH_AUTH_SOCK"];
  t.after(async () => {
    if (before === undefined) delete process.env["SSH_AUTH_SOCK"];
    else process.env["SSH_AUTH_SOCK"] = before;
    agent.kill();
    await once(agent, "close");
  });
  await once(agent.stdout, "data");
  assert.ok(existsSync(socket));
  process.env["SSH_AUTH_SOCK"] = socket;
  const bea = newPerson(folder, "bea");
  execFileSync("ssh-add", ["-q", bea.keyFile], { stdio: "ignore" });
  rmSync(bea.keyFile); // only the agent has it now
  const signer = await signerOf({ key: `${bea.keyFile}.pub`, as: "ann" }, [trustOf({ key: bea.key })], 1);
  assert.equal(verifySshsig(await signer.sign(MESSAGE, "mooring-release"), MESSAGE, "mooring-release")?.key, bea.key);
});

test("the public half is read from an encrypted key, an older form of key, and a .pub file", async () => {
  const locked = join(folder, "locked");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "passphrase", "-C", "", "-f", locked]);
  assert.equal(await publicHalf(locked), readFileSync(`${locked}.pub`, "utf8").trim());
  assert.equal(await publicHalf(`${ANN.keyFile}.pub`), ANN.key);
  const pem = join(folder, "pem");
  execFileSync("ssh-keygen", ["-q", "-m", "PEM", "-t", "ecdsa", "-N", "", "-C", "", "-f", pem]);
  assert.equal(await publicHalf(pem), readFileSync(`${pem}.pub`, "utf8").trim());
  rmSync(`${pem}.pub`);
  await assert.rejects(publicHalf(pem), { code: "SIGNER_KEY_UNREADABLE" });
});

test("what is no key is told at once", async () => {
  const junk = join(folder, "junk");
  for (const text of [
    "",
    "ssh-ed25519 AAAA",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    "hello there",
  ]) {
    writeFileSync(junk, text);
    await assert.rejects(publicHalf(junk), { code: "SIGNER_KEY_UNREADABLE" }, text);
  }
  await assert.rejects(publicHalf(folder), { code: "SIGNER_KEY_UNREADABLE" });
});

test("nobody is asked to sign what would not count: wrong window, no touch", async () => {
  const sign = (trust: TrustSection, serial: number): Promise<unknown> => signerOf({ key: ANN.keyFile, as: "ann" }, [trust], serial);
  await assert.rejects(sign(trustOf({ until: 4 }), 5), { code: "SIGNER_KEY_MISMATCH", message: /serial 5/ });
  await assert.rejects(sign(trustOf({ from: 6 }), 5), { code: "SIGNER_KEY_MISMATCH" });
  await assert.rejects(sign(trustOf({ touch: "required" }), 5), { code: "SIGNER_KEY_MISMATCH", message: /hardware/ });
  const token = hardwareSigner();
  writeFileSync(join(folder, "token.pub"), `${token.key} token\n`);
  await signerOf({ key: join(folder, "token.pub"), as: "ann" }, [trustOf({ key: token.key, touch: "required" })], 5);
});

test("what keeps ssh-keygen from signing is one error of ours", async () => {
  const open = newPerson(folder, "open");
  chmodSync(open.keyFile, 0o644); // ssh-keygen refuses a key that others can read
  const signer = await signerOf({ key: open.keyFile, as: "ann" }, [trustOf({ key: open.key })], 1);
  await assert.rejects(signer.sign(MESSAGE, "mooring-release"), { code: "SIGNING_FAILED" });
});
