import { toTrustMaterial, type TrustMaterial } from "@sigstore/verify";
import { fromBase64, isJsonObject, type Json, type JsonObject } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { jsonObject } from "./json-object.ts";

export type { TrustMaterial };

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(\+json;version=0\.[12]|\.v0\.[12]\+json)$/;
const MAX_BYTES = 256 * 1024;
const MAX_ITEMS = 32;
/** Elliptic keys are all SPKI to the verifier, which asks no more of `keyDetails`. */
const KEYS: readonly unknown[] = ["PKIX_ECDSA_P256_SHA_256", "PKIX_ECDSA_P384_SHA_384", "PKIX_ECDSA_P521_SHA_512", "PKIX_ED25519"];
const SPKI = 5;

/** Whom to believe about workflows: certificate authorities, certificate logs, transparency logs and timestamp authorities of one trusted_root.json.
 *  Each key and authority MUST say since when it counts: one without a start would count for ever (sigstore-js takes 1970). No keys of its own, so
 *  it verifies nothing keyed. Pure. Throws TRUSTED_ROOT_MALFORMED. */
export function parseTrustedRoot(bytes: Uint8Array): TrustMaterial {
  const root = jsonObject(bytes, MAX_BYTES, malformed);
  if (typeof root["mediaType"] !== "string" || !MEDIA_TYPE.test(root["mediaType"])) throw malformed("it is of another media type");
  const parts = {
    tlogs: list(root, "tlogs").map(logOf),
    ctlogs: list(root, "ctlogs").map(logOf),
    certificateAuthorities: list(root, "certificateAuthorities").map(authorityOf),
    timestampAuthorities: list(root, "timestampAuthorities").map(authorityOf),
  };
  try {
    return toTrustMaterial(parts as unknown as Parameters<typeof toTrustMaterial>[0], () => {
      throw new Error("no keyed signer");
    });
  } catch (cause) {
    throw malformed("a key or certificate in it cannot be read", cause);
  }
}

function logOf(log: JsonObject) {
  const key = object(log, "publicKey");
  if (!KEYS.includes(key["keyDetails"])) throw malformed("a log has a key of another kind than ECDSA or Ed25519");
  const idOf = (value: JsonObject) => ({ keyId: bytesIn(value, "keyId") });
  return {
    baseUrl: text(log, "baseUrl"),
    publicKey: { rawBytes: bytesIn(key, "rawBytes"), keyDetails: SPKI, validFor: windowOf(key) },
    logId: idOf(object(log, "logId")),
    ...(log["checkpointKeyId"] === undefined ? {} : { checkpointKeyId: idOf(object(log, "checkpointKeyId")) }),
  };
}

function authorityOf(authority: JsonObject) {
  const certificates = list(object(authority, "certChain"), "certificates").map((item) => ({ rawBytes: bytesIn(item, "rawBytes") }));
  if (certificates.length === 0) throw malformed("an authority has no certificate");
  return { certChain: { certificates }, validFor: windowOf(authority) };
}

function windowOf(value: JsonObject): { readonly start: Date; readonly end?: Date } {
  const window = object(value, "validFor");
  const start = dateOf(text(window, "start"));
  return window["end"] === undefined ? { start } : { start, end: dateOf(text(window, "end")) };
}

function dateOf(value: string): Date {
  const date = new Date(value);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) || Number.isNaN(date.getTime())) throw malformed("a time is not UTC");
  return date;
}

function list(parent: JsonObject, name: string): readonly JsonObject[] {
  const value = parent[name] ?? [];
  if (!Array.isArray(value) || value.length > MAX_ITEMS || !value.every((item) => isJsonObject(item as Json)))
    throw malformed(`${name} is not a list of at most ${MAX_ITEMS} objects`);
  return value as readonly JsonObject[];
}

function object(parent: JsonObject, name: string): JsonObject {
  const value = parent[name];
  if (!isJsonObject(value)) throw malformed(`${name} is missing`);
  return value;
}

function text(parent: JsonObject, name: string): string {
  const value = parent[name];
  if (typeof value !== "string" || value === "") throw malformed(`${name} is missing`);
  return value;
}

function bytesIn(parent: JsonObject, name: string): Buffer {
  try {
    return Buffer.from(fromBase64(text(parent, name), name));
  } catch (cause) {
    throw malformed(`${name} is not strict base64`, cause);
  }
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("TRUSTED_ROOT_MALFORMED", "a sigstore trusted root", { why, cause });
}
