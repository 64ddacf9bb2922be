import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "#base/canonical/index.ts";
import { digestOf } from "#base/canonical/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Packed, packedFrom, packPlugin } from "#bundle/pack/index.ts";
import { readBundle } from "#bundle/read/index.ts";
import { checkTree, statementFor } from "#bundle/statement/index.ts";
import { type PluginStatement, parseStatement, shapeOf, verifyBundle } from "#proof/sigstore/index.ts";
import { readPrivateKey, readRequired, readSigner } from "./files.ts";
import type { PluginLock } from "#schemas/fleet/index.ts";
import { lockOf, lockText } from "./lock.ts";
import { signWithKey } from "./sign.ts";
import { spliceYaml, textAt } from "./splice.ts";

/** Facts about an archive, for tables. */
export type PluginFacts = {
  readonly id: string;
  readonly version: string;
  readonly digest: Digest;
  readonly tree: Digest;
  readonly main: string;
  readonly files: number;
  readonly bytes: number;
};
export type InspectedPlugin = PluginFacts & {
  readonly list: Packed["files"];
  readonly claims: { readonly serial: number; readonly fits: boolean } | null;
};

/** `mooring plugin pack DIR -o F`: writes the archive. Throws what `packPlugin` throws. */
export async function pluginPack(options: { readonly dir: string; readonly out: string }): Promise<PluginFacts> {
  const packed = packPlugin(options.dir);
  await mkdir(dirname(options.out), { recursive: true });
  await writeDurable(options.out, packed.tgz, 0o644);
  return factsOf(packed);
}

/** `mooring plugin sign F --key K.pem [--serial N]`: writes F.sigstore.json. The archive is read by the strict reader first, so nobody signs
 *  what a machine would refuse. Throws PLUGIN_FILE_MISSING, PLUGIN_KEY_UNUSABLE and what the reader throws. */
export async function pluginSign(options: {
  readonly file: string;
  readonly key: string;
  readonly serial?: number;
}): Promise<{ readonly out: string; readonly statement: PluginStatement }> {
  const packed = await readPacked(options.file);
  const key = await readPrivateKey(options.key);
  const statement = statementFor(packed, options.serial ?? 1);
  const bundle = await signWithKey(statement, key);
  const out = besides(options.file);
  await writeDurable(out, bundle, 0o644);
  return { out, statement };
}

/** `mooring plugin verify F --key pub.pem`: the statement when signature, digest and every file fit. */
export async function pluginVerify(options: { readonly file: string; readonly key: string }): Promise<PluginStatement> {
  const signer = await readSigner(options.key);
  const tgz = await readRequired(options.file, "archive");
  const bundleJson = await readRequired(besides(options.file), "signature");
  const statement = parseStatement(verifyBundle(bundleJson, signer).payload);
  const found = digestOf(tgz);
  if (statement.bundle !== found)
    throw new MooringError("STATEMENT_DIGEST_MISMATCH", `archive ${options.file}`, { why: `expected ${statement.bundle}, found ${found}` });
  checkTree(statement, readBundle(tgz));
  return statement;
}

/** `mooring plugin pin F --repo DIR --url URL [--key pub.pem]`: writes version, digest and URL into plugins/<id>.yaml where they stand, and
 *  plugins/<id>.lock.json. The signature is verified first, with `key` or else the key that the file's spec.verify.key names in the repo; a
 *  keyless plugin is held against its archive only, as the hub does not run it yet. Throws PLUGIN_PIN_REFUSED and what `pluginVerify`
 *  throws. */
export async function pluginPin(options: {
  readonly file: string;
  readonly repo: string;
  readonly url: string;
  readonly key?: string;
}): Promise<{ readonly lock: PluginLock; readonly written: readonly string[] }> {
  const { statement, wants } = await claimed(options.file);
  const document = join(options.repo, "plugins", `${statement.id}.yaml`);
  const bytes = await readIfThere(document);
  if (bytes === null)
    throw new MooringError("PLUGIN_PIN_REFUSED", `plugins/${statement.id}.yaml`, { why: "the fleet repo has no such file" });
  const text = new TextDecoder().decode(bytes);
  const named = textAt(text, ["spec", "verify", "key"], `plugins/${statement.id}.yaml`);
  const key = options.key ?? (named === null ? undefined : join(options.repo, named));
  if (key !== undefined) await pluginVerify({ file: options.file, key });
  const edits = [
    { at: ["spec", "version"], value: statement.version },
    { at: ["spec", "digest"], value: statement.bundle },
    { at: ["spec", "source", "url"], value: options.url },
  ];
  const spliced = spliceYaml(text, edits, `plugins/${statement.id}.yaml`);
  const lock = lockOf(statement, wants);
  const lockFile = join(options.repo, "plugins", `${statement.id}.lock.json`);
  await writeDurable(lockFile, lockText(lock), 0o644);
  await writeDurable(document, spliced, 0o644);
  return { lock, written: [document, lockFile] };
}

/** `mooring plugin inspect F`: what the archive is, and what the signature beside it claims (not verified: nobody said which key). */
export async function pluginInspect(options: { readonly file: string }): Promise<InspectedPlugin> {
  const packed = await readPacked(options.file);
  const beside = await readIfThere(besides(options.file));
  const claims = beside === null ? null : unverifiedStatement(beside);
  return {
    ...factsOf(packed),
    list: packed.files,
    claims: claims === null ? null : { serial: claims.serial, fits: claims.bundle === packed.digest && claims.tree === packed.tree },
  };
}

/** The statement beside an archive, held against the archive but not against a key. */
async function claimed(file: string): Promise<{ readonly statement: PluginStatement; readonly wants: readonly string[] | undefined }> {
  const packed = await readPacked(file);
  const statement = unverifiedStatement(await readRequired(besides(file), "signature"));
  if (statement.bundle !== packed.digest)
    throw new MooringError("STATEMENT_DIGEST_MISMATCH", `archive ${file}`, { why: `expected ${statement.bundle}, found ${packed.digest}` });
  checkTree(statement, readBundle(packed.tgz));
  return { statement, wants: packed.manifest.wants };
}

function unverifiedStatement(bundleJson: Uint8Array): PluginStatement {
  return parseStatement(shapeOf(bundleJson).payload);
}

async function readPacked(file: string): Promise<Packed> {
  return packedFrom(await readRequired(file, "archive"));
}

function factsOf(packed: Packed): PluginFacts {
  const bytes = packed.files.reduce((sum, [, , size]) => sum + size, 0);
  return { ...packed.manifest, digest: packed.digest, tree: packed.tree, files: packed.files.length, bytes };
}

function besides(file: string): string {
  return `${file}.sigstore.json`;
}
