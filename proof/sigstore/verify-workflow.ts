import { createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { type SignedEntity, toSignedEntity, type TrustMaterial, Verifier } from "@sigstore/verify";
import { isJsonObject, type Json, type JsonObject } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { WorkflowIdentity } from "#schemas/wire/index.ts";
import { base64, malformed, object, only, payloadIn, readBundle } from "./shape.ts";
import { paeOf } from "./statement.ts";
import { checkExtensions, checkSubject } from "./workflow-identity.ts";

/** What must be signed: the DSSE payload type stands for what kind of document it is, as SSHSIG's namespace does. */
export type SignedPayload = { readonly type: string; readonly bytes: Uint8Array };

/** Passes when exactly this workflow signed exactly this payload: a DSSE bundle of v0.3 whose certificate, from an authority of `root` and in one of
 *  its certificate logs, names the workflow; logged with inclusion proof; at a proven time in which certificate and log key were valid. Offline,
 *  synchronous, pure. Throws WORKFLOW_IDENTITY_OTHER, WORKFLOW_SIGNATURE_INVALID and what `readBundle` throws. */
export function verifyWorkflow(bundleJson: Uint8Array, payload: SignedPayload, want: WorkflowIdentity, root: TrustMaterial): void {
  const json = readBundle(bundleJson);
  if (!Buffer.from(payloadIn(object(json, "dsseEnvelope"), payload.type)).equals(payload.bytes))
    throw invalid("it is over another document");
  const leaf = leafIn(object(json, "verificationMaterial"));
  checkSubject(leaf, want);
  checkCheaply(leaf, payload, json, root);
  const { entity, extensions } = verified(json, root);
  checkExtensions(extensions, want);
  checkEntry(entity, leaf, root);
}

/** The one certificate; also that there is one log entry, with a proof, and nothing that is not looked at. */
function leafIn(material: JsonObject): X509Certificate {
  only(material, "verificationMaterial", ["certificate", "tlogEntries", "timestampVerificationData"]);
  const entries = material["tlogEntries"];
  if (!Array.isArray(entries) || entries.length !== 1 || !isJsonObject(entries[0] as Json))
    throw malformed("it does not have exactly one log entry");
  object(entries[0] as JsonObject, "inclusionProof");
  const der = base64(object(material, "certificate")["rawBytes"], "certificate");
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw malformed("its certificate cannot be read", cause);
  }
}

/** Two signatures that `verified` looks at again: anybody may push ten thousand bundles, and no stranger's has both the key of the certificate and a certificate
 *  of the authorities. So junk costs a tenth of what a good bundle does. */
function checkCheaply(leaf: X509Certificate, { type, bytes }: SignedPayload, json: JsonObject, root: TrustMaterial): void {
  const [signature] = object(json, "dsseEnvelope")["signatures"] as readonly JsonObject[];
  const sig = base64(signature?.["sig"], "sig");
  try {
    if (verify(undefined, paeOf(type, bytes), leaf.publicKey, sig) && issuersOf(root).some((key) => leaf.verify(key))) return;
  } catch (cause) {
    throw invalid("the key of its certificate cannot be read", cause);
  }
  throw invalid("its signature is not by the key of its certificate, or that is not from an authority of the trusted root");
}

const issuers = new WeakMap<TrustMaterial, readonly KeyObject[]>();

function issuersOf(root: TrustMaterial): readonly KeyObject[] {
  const known = issuers.get(root);
  if (known !== undefined) return known;
  const certificates = root.certificateAuthorities.flatMap(({ certChain }) => certChain);
  const keys = certificates.map(({ publicKey }) => createPublicKey({ key: publicKey, format: "der", type: "spki" }));
  issuers.set(root, keys);
  return keys;
}

/** sigstore-js does the cryptography: chain, SCT, checkpoint and inclusion proof (and the log's promise where there is one), timestamps, signature. It
 *  takes no policy here: it would take text as an unanchored pattern. Everything it throws is one code of ours. */
function verified(json: JsonObject, root: TrustMaterial) {
  try {
    const entity = toSignedEntity(bundleFromJSON(json));
    const signer = new Verifier(root, { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 }).verify(entity);
    return { entity, extensions: signer.identity?.oids ?? [] };
  } catch (cause) {
    throw invalid("its certificate, log entry, time or signature does not hold under the trusted root", cause);
  }
}

/** What sigstore-js leaves out: the log recorded this very certificate (a thief would log his own), and the log's key was valid at the proven time
 *  (it is asked for promises only). */
function checkEntry(entity: SignedEntity, leaf: X509Certificate, root: TrustMaterial): void {
  const [entry] = entity.tlogEntries;
  if (entry === undefined) throw invalid("it has no log entry");
  const logged = certificateIn(JSON.parse(entry.canonicalizedBody.toString("utf8")) as Json);
  if (logged === null || !logged.raw.equals(leaf.raw)) throw invalid("the log names another certificate");
  const times = timesOf(entity);
  const isCurrent = root.tlogs.some(
    ({ logID, validFor }) => logID.equals(entry.logId.keyId) && times.every((time) => validFor.start <= time && time <= validFor.end),
  );
  if (!isCurrent || times.length === 0) throw invalid("the log's key was not valid at the proven time");
}

function timesOf(entity: SignedEntity): readonly Date[] {
  const [entry] = entity.tlogEntries;
  if (entry?.inclusionPromise !== undefined) return [new Date(Number(entry.integratedTime) * 1000)];
  return entity.timestamps.flatMap((item) => (item.$case === "timestamp-authority" ? [item.timestamp.signingTime] : []));
}

/** Where each kind of log entry keeps the certificate: PEM in Rekor v1, DER in v2. */
function certificateIn(body: Json): X509Certificate | null {
  const at = (...path: readonly string[]): Json | undefined =>
    path.reduce<Json | undefined>((value, name) => (value as JsonObject | undefined)?.[name], body);
  const texts: Readonly<Record<string, () => Json | undefined>> = {
    "hashedrekord 0.0.1": () => at("spec", "signature", "publicKey", "content"),
    "intoto 0.0.2": () => at("spec", "content", "envelope", "signatures", "0", "publicKey"),
    "dsse 0.0.1": () => at("spec", "signatures", "0", "verifier"),
    "hashedrekord 0.0.2": () => at("spec", "hashedRekordV002", "signature", "verifier", "x509Certificate", "rawBytes"),
    "dsse 0.0.2": () => at("spec", "dsseV002", "signatures", "0", "verifier", "x509Certificate", "rawBytes"),
  };
  const [kind, version] = [at("kind"), at("apiVersion")];
  const text = typeof kind === "string" && typeof version === "string" ? texts[`${kind} ${version}`]?.() : undefined;
  if (typeof text !== "string") return null;
  try {
    return new X509Certificate(Buffer.from(text, "base64"));
  } catch {
    return null; // what is no certificate is not the right one
  }
}

function invalid(why: string, cause?: unknown): MooringError {
  return new MooringError("WORKFLOW_SIGNATURE_INVALID", "a workflow's signature", { why, cause });
}
