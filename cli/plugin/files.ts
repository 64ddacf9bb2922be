import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { toBase64 } from "#base/canonical/index.ts";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** The bytes of `path`; throws PLUGIN_FILE_MISSING naming what it should have been. */
export async function readRequired(path: string, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if (isErrno(cause, "ENOENT") || isErrno(cause, "EISDIR"))
      throw new MooringError("PLUGIN_FILE_MISSING", `${what} ${path}`, { why: "there is no such file", cause });
    throw cause;
  }
}

/** The P-256 private key of a PEM file without passphrase; throws PLUGIN_KEY_UNUSABLE. */
export async function readPrivateKey(path: string): Promise<KeyObject> {
  const pem = Buffer.from(await readRequired(path, "private key"));
  try {
    return p256(createPrivateKey(pem), path);
  } catch (cause) {
    throw unusable(path, "it is not a P-256 private key in PEM without a passphrase", cause);
  } finally {
    pem.fill(0);
  }
}

/** The signer of a plugin section, `{key: base64 SPKI DER}`, of a PEM public key. Throws PLUGIN_KEY_UNUSABLE. */
export async function readSigner(path: string): Promise<{ readonly key: string }> {
  const pem = await readRequired(path, "public key");
  if (Buffer.from(pem).includes("PRIVATE KEY")) throw unusable(path, "it is a private key; give the public one");
  try {
    return { key: toBase64(spkiOf(createPublicKey(Buffer.from(pem)))) };
  } catch (cause) {
    throw unusable(path, "it is not a public key in PEM", cause);
  }
}

/** SPKI DER of the public half. */
export function spkiOf(key: KeyObject): Uint8Array {
  const half = key.type === "private" ? createPublicKey(key) : key;
  return new Uint8Array(half.export({ format: "der", type: "spki" }));
}

function p256(key: KeyObject, path: string): KeyObject {
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw unusable(path, "its curve is not P-256");
  return key;
}

function unusable(path: string, why: string, cause?: unknown): MooringError {
  return new MooringError("PLUGIN_KEY_UNUSABLE", `key ${path}`, { why, cause });
}
