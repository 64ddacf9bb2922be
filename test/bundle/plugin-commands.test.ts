import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pluginInspect, pluginPack, pluginPin, pluginSign, pluginVerify } from "#cli/plugin/index.ts";
import { pluginFiles } from "./support.ts";

const root = await mkdtemp(join(tmpdir(), "mc-"));
after(() => rm(root, { recursive: true }));
const at = (...names: string[]): string => join(root, ...names);

async function put(path: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}
async function keyPair(name: string, namedCurve = "P-256"): Promise<{ readonly key: string; readonly pub: string }> {
  const pair = generateKeyPairSync("ec", { namedCurve });
  const pem = (key: KeyObject, type: "pkcs8" | "spki"): string => key.export({ format: "pem", type } as never) as unknown as string;
  return {
    key: await put(at(`${name}.pem`), pem(pair.privateKey, "pkcs8")),
    pub: await put(at(`${name}.pub`), pem(pair.publicKey, "spki")),
  };
}

for (const one of pluginFiles()) await put(at("src", one.path), one.bytes);
const mine = await keyPair("mine");
const other = await keyPair("other");
const file = at("out", "demo.tgz");
const facts = await pluginPack({ dir: at("src"), out: file });
const signed = await pluginSign({ file, key: mine.key, serial: 4 });

const YAML = `apiVersion: mooring/v1
kind: Plugin
metadata: { name: demo }
spec:
  version: "0.9.0"   # bumped by plugin pin
  source: { url: https://example.net/old.tgz } # where it lies
  digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
  machines: { labels: { role: mail } }
`;

test("pack, sign and verify fit together; inspect tells what the archive is", async () => {
  assert.equal(facts.files, 3);
  assert.equal(signed.out, `${file}.sigstore.json`);
  const statement = await pluginVerify({ file, key: mine.pub });
  assert.equal(statement.serial, 4);
  assert.equal(statement.bundle, facts.digest);
  const inspected = await pluginInspect({ file });
  assert.deepEqual(inspected.claims, { serial: 4, fits: true });
  assert.equal(inspected.tree, facts.tree);
});

test("verify refuses another key, a changed archive and a missing file by name", async () => {
  await assert.rejects(pluginVerify({ file, key: other.pub }), { code: "SIGSTORE_SIGNER_MISMATCH" });
  const changed = await put(at("changed.tgz"), (await readFile(file)).subarray(0, -1));
  await put(`${changed}.sigstore.json`, await readFile(signed.out));
  await assert.rejects(pluginVerify({ file: changed, key: mine.pub }), { code: "STATEMENT_DIGEST_MISMATCH" });
  await assert.rejects(pluginVerify({ file: at("none.tgz"), key: mine.pub }), { code: "PLUGIN_FILE_MISSING" });
});

test("keys of another curve or form are refused, and a private key is not taken for a public one", async () => {
  const unusable = { code: "PLUGIN_KEY_UNUSABLE" };
  const p384 = await keyPair("p384", "P-384");
  await assert.rejects(pluginSign({ file, key: p384.key }), unusable);
  await assert.rejects(pluginSign({ file, key: await put(at("junk.pem"), "junk") }), unusable);
  await assert.rejects(pluginVerify({ file, key: mine.key }), unusable);
  await assert.rejects(pluginVerify({ file, key: at("junk.pem") }), unusable);
  await assert.rejects(pluginSign({ file, key: mine.key, serial: 0 }), { code: "BUNDLE_STATEMENT_MALFORMED" });
});

test("only what a machine would accept is signed", async () => {
  const bad = await put(at("bad.tgz"), "not an archive");
  await assert.rejects(pluginSign({ file: bad, key: mine.key }), { code: "BUNDLE_MALFORMED" });
});

test("pin changes three values and nothing else, and writes the lock", async () => {
  const yaml = await put(at("repo", "plugins", "demo.yaml"), YAML);
  const url = "https://example.net/demo-1.0.0.tgz";
  const { lock } = await pluginPin({ file, repo: at("repo"), url, key: mine.pub });
  const expected = YAML.replace('"0.9.0"', '"1.0.0"')
    .replace("https://example.net/old.tgz", url)
    .replace(/sha256:0+/, facts.digest);
  assert.equal(await readFile(yaml, "utf8"), expected);
  const written = JSON.parse(await readFile(at("repo", "plugins", "demo.lock.json"), "utf8")) as unknown;
  assert.deepEqual(written, lock);
  assert.deepEqual(Object.keys(lock), ["v", "name", "version", "serial", "digest", "tree", "main", "files"]);
  assert.deepEqual([lock.v, lock.name, lock.serial, lock.main], [1, "demo", 4, "dist/main.js"]);
  await pluginPin({ file, repo: at("repo"), url, key: mine.pub });
  assert.equal(await readFile(yaml, "utf8"), expected); // pinning again changes nothing
});

test("pin quotes what would mean something else, also inside braces", async () => {
  const yaml = await put(at("quote", "plugins", "demo.yaml"), YAML);
  const url = "https://example.net/a,b.tgz?x={y}#z";
  await pluginPin({ file, repo: at("quote"), url });
  assert.ok((await readFile(yaml, "utf8")).includes(`source: { url: ${JSON.stringify(url)} } # where it lies`));
});

test("pin refuses a missing or unfit document and leaves it alone", async () => {
  const url = "https://example.net/x.tgz";
  const refused = { code: "PLUGIN_PIN_REFUSED" };
  await assert.rejects(pluginPin({ file, repo: at("empty"), url }), refused);
  for (const text of [YAML.replace(/ {2}digest.*\n/, ""), YAML.replace('"0.9.0"', "[1]"), "a: b: c", `${YAML}  version: 2.0.0\n`]) {
    const yaml = await put(at("unfit", "plugins", "demo.yaml"), text);
    await assert.rejects(pluginPin({ file, repo: at("unfit"), url }), refused, text);
    assert.equal(await readFile(yaml, "utf8"), text);
  }
  await assert.rejects(pluginPin({ file, repo: at("repo"), url, key: other.pub }), { code: "SIGSTORE_SIGNER_MISMATCH" });
  await put(at("keyed", "plugins", "demo.yaml"), `${YAML}  verify: { key: trust/keys/release.pub }\n`);
  await put(at("keyed", "trust", "keys", "release.pub"), await readFile(other.pub));
  await assert.rejects(pluginPin({ file, repo: at("keyed"), url }), { code: "SIGSTORE_SIGNER_MISMATCH" });
  await put(at("keyed", "trust", "keys", "release.pub"), await readFile(mine.pub));
  await pluginPin({ file, repo: at("keyed"), url });
});
