import { fromBase64, isJsonObject, type Json, type JsonObject } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { jsonObject } from "./json-object.ts";
import { PAYLOAD_TYPE, quote } from "./statement.ts";

/** Eight times the bundle of a plugin with 10,000 files. */
const MAX_BYTES = 16 * 1024 * 1024;
const MEDIA_TYPES: readonly unknown[] = [
  "application/vnd.dev.sigstore.bundle.v0.3+json",
  "application/vnd.dev.sigstore.bundle+json;version=0.3",
];

/** A keyed DSSE bundle of v0.3 that has nothing in it we do not check: what @sigstore/bundle may see. */
export type KeyedBundle = { readonly json: JsonObject; readonly hint: string; readonly payload: Uint8Array };

/** Reads the bundle's JSON strictly: known media type, one public key and no certificate, no log entry or timestamp, DSSE with one
 *  signature and our payload type, no unknown member. @sigstore/verify is laxer in each of these (an unknown media type counts as v0.3, of a
 *  key and a certificate it takes the key, base64 is read as far as it goes). Pure. Throws SIGSTORE_MALFORMED, SIGSTORE_MEDIA_TYPE,
 *  SIGSTORE_SIGNER_MISMATCH, STATEMENT_TYPE_MISMATCH or NOT_YET. */
export function shapeOf(bytes: Uint8Array): KeyedBundle {
  const json = readBundle(bytes);
  return { json, hint: hintIn(object(json, "verificationMaterial")), payload: payloadIn(object(json, "dsseEnvelope")) };
}

/** The JSON of a v0.3 bundle with a DSSE envelope; what is in its members is not looked at. */
export function readBundle(bytes: Uint8Array): JsonObject {
  const json = jsonObject(bytes, MAX_BYTES, malformed);
  if (!MEDIA_TYPES.includes(json["mediaType"]))
    throw new MooringError("SIGSTORE_MEDIA_TYPE", "a sigstore bundle", {
      why: `expected ${String(MEDIA_TYPES[0])}, found ${quote(json["mediaType"])}`,
    });
  if ("messageSignature" in json) throw malformed("it holds a message signature; only DSSE envelopes say what they are about");
  only(json, "the bundle", ["mediaType", "verificationMaterial", "dsseEnvelope"]);
  return json;
}

function hintIn(material: JsonObject): string {
  const certified = "certificate" in material || "x509CertificateChain" in material;
  if (certified && "publicKey" in material) throw malformed("it names a key and carries a certificate");
  if (certified)
    throw new MooringError("SIGSTORE_SIGNER_MISMATCH", "a sigstore bundle", {
      why: "expected a bundle signed with a key, found one signed with a certificate",
    });
  only(material, "verificationMaterial", ["publicKey", "tlogEntries", "timestampVerificationData"]);
  if (!isEmptyList(material["tlogEntries"]))
    throw new MooringError("NOT_YET", "a sigstore bundle with a log entry", { why: "log entries of keyed bundles are not verified yet" });
  noTimestamps(material["timestampVerificationData"]);
  const key = object(material, "publicKey");
  only(key, "publicKey", ["hint"]);
  if (typeof key["hint"] !== "string") throw malformed("publicKey.hint is not text");
  return key["hint"];
}

function noTimestamps(value: Json | undefined): void {
  if (value === undefined || value === null) return;
  if (!isJsonObject(value)) throw malformed("timestampVerificationData is not an object");
  only(value, "timestampVerificationData", ["rfc3161Timestamps"]);
  if (!isEmptyList(value["rfc3161Timestamps"]))
    throw new MooringError("NOT_YET", "a sigstore bundle with a timestamp", { why: "timestamps of keyed bundles are not verified yet" });
}

/** The payload of a DSSE envelope with one signature and this payload type. */
export function payloadIn(envelope: JsonObject, type: string = PAYLOAD_TYPE): Uint8Array {
  only(envelope, "dsseEnvelope", ["payload", "payloadType", "signatures"]);
  if (envelope["payloadType"] !== type)
    throw new MooringError("STATEMENT_TYPE_MISMATCH", "a sigstore bundle", {
      why: `expected payloadType ${type}, found ${quote(envelope["payloadType"])}`,
    });
  const signatures = envelope["signatures"];
  if (!Array.isArray(signatures) || signatures.length !== 1) throw malformed("it does not have exactly one signature");
  const signature = (signatures as readonly Json[])[0];
  if (!isJsonObject(signature)) throw malformed("its signature is not an object");
  only(signature, "the signature", ["sig", "keyid"]); // keyid is unauthenticated and never read
  if ("keyid" in signature && typeof signature["keyid"] !== "string") throw malformed("keyid is not text");
  if (base64(signature["sig"], "sig").length === 0) throw malformed("its signature is empty");
  return base64(envelope["payload"], "payload");
}

export function object(parent: JsonObject, name: string): JsonObject {
  const value = parent[name];
  if (!isJsonObject(value)) throw malformed(`it has no ${name}`);
  return value;
}

export function only(value: JsonObject, where: string, names: readonly string[]): void {
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw malformed(`${where} has the unknown member ${quote(unknown)}`);
}

function isEmptyList(value: Json | undefined): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

export function base64(value: Json | undefined, where: string): Uint8Array {
  if (typeof value !== "string") throw malformed(`${where} is not text`);
  try {
    return fromBase64(value, where);
  } catch (cause) {
    throw malformed(`${where} is not strict base64`, cause);
  }
}

export function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("SIGSTORE_MALFORMED", "a sigstore bundle", { why, cause });
}
