import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { armor, Decrypter, generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import { parse } from "yaml";
import { digestOf } from "#base/canonical/index.ts";
import { secretRefAdd } from "#cli/secret-ref/index.ts";
import { secret } from "#schemas/fleet/secret.ts";
import type { SecretRef } from "#schemas/wire/index.ts";
import { readSecretFrame } from "#seal/file/index.ts";

const NOW = () => Date.UTC(2026, 10, 25);
const REF = "secret://team/openai" as SecretRef;
const dirs: string[] = [];
after(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

async function checkout() {
  const repoDir = await mkdtemp(join(tmpdir(), "mr-"));
  dirs.push(repoDir);
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const add = (value: string, recipients = [recipient]) =>
    secretRefAdd({ repoDir, ref: REF, value: Buffer.from(value), recipients, now: NOW });
  const opened = async (path: string) => {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return readSecretFrame(await decrypter.decrypt(armor.decode(await readFile(join(repoDir, path), "utf8"))));
  };
  return { repoDir, recipient, add, opened };
}

test("the first value makes file and document, the next ones become current", async () => {
  const { repoDir, add, opened } = await checkout();
  assert.deepEqual(await add("one"), { ref: REF, version: 1, paths: ["secrets/team/openai.v1.age", "secrets/team/openai.yaml"] });
  const path = join(repoDir, "secrets/team/openai.yaml");
  const commented = (await readFile(path, "utf8")).replace("current: 1", "current: 1 # ask ops before changing");
  await writeFile(path, commented);
  await add("two");
  await add("three");
  const text = await readFile(path, "utf8");
  assert.match(text, /# ask ops before changing/);
  const document = secret.parse(parse(text));
  assert.deepEqual([document.spec.current, document.spec.previous, Object.keys(document.spec.versions)], [3, 2, ["1", "2", "3"]]);
  for (const [version, value] of [
    ["1", "one"],
    ["2", "two"],
    ["3", "three"],
  ] as const) {
    const entry = document.spec.versions[version];
    assert.ok(entry !== undefined);
    assert.equal(entry.digest, digestOf(await readFile(join(repoDir, "secrets/team", entry.file))));
    const { head, value: found } = await opened(`secrets/team/${entry.file}`);
    assert.deepEqual([head.ref, head.version, Buffer.from(found).toString()], [REF, Number(version), value]);
  }
});

test("the value's buffer is zeroed, also when sealing fails", async () => {
  const { repoDir, recipient } = await checkout();
  for (const recipients of [[recipient], ["age1nonsense"]]) {
    const value = Buffer.from("a value");
    await secretRefAdd({ repoDir, ref: REF, value, recipients, now: NOW }).catch(() => null);
    assert.ok(value.every((byte) => byte === 0));
  }
});

test("recipients that we can't vouch for are refused before anything is written", async () => {
  const { repoDir, recipient, add } = await checkout();
  await assert.rejects(add("x", []), { code: "RECIPIENT_MALFORMED" });
  await assert.rejects(add("x", [recipient, "age1nonsense"]), { code: "RECIPIENT_MALFORMED" });
  await assert.rejects(add("x", [recipient, await identityToRecipient(await generateHybridIdentity())]), { code: "NOT_YET" });
  assert.deepEqual(await readdir(repoDir), []);
});

test("a document that is not this secret's is left alone", async () => {
  const { repoDir, add } = await checkout();
  await add("one");
  const path = join(repoDir, "secrets/team/openai.yaml");
  const good = await readFile(path, "utf8");
  for (const bad of [
    "",
    "a: [",
    good.replace("team/openai", "team/other"),
    good.replace("kind: Secret", "kind: Plugin"),
    good.replace('"1"', "x1"),
  ]) {
    await writeFile(path, bad);
    await assert.rejects(add("two"), { code: "FLEET_INVALID" });
    assert.equal(await readFile(path, "utf8"), bad);
  }
  assert.deepEqual((await readdir(join(repoDir, "secrets/team"))).sort(), ["openai.v1.age", "openai.yaml"]);
});
