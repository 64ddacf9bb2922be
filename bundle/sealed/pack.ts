import { randomBytes } from "node:crypto";
import {
  canonBytes,
  type Digest,
  digestOf,
  fromBase64,
  isDigest,
  isJsonObject,
  type Json,
  type JsonObject,
  readCanonical,
  toBase64,
} from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { framed, unframed } from "#base/frames/index.ts";
import { SUITE } from "#schemas/wire/index.ts";
import { pointOf, sealTo } from "#seal/hpke/index.ts";
import { openStream, sealStream } from "#seal/stream/index.ts";

const TYPE = "mooring/pack/v1";
/** HPKE's `info` for packs. The bridge fixes it too, so that its unwrapping opens no envelope of a secret. */
export const PACK_INFO: Uint8Array = new TextEncoder().encode(TYPE);

/** One plugin bundle on its way to a machine: the archive and the sigstore bundle about it. */
export type PackBlob = { readonly tgz: Uint8Array; readonly bundleJson: Uint8Array };
/** Whom a pack is for. `kx` is the machine's `age1tag1…` as its identity section has it. */
export type PackTarget = { readonly fleet: string; readonly machine: string; readonly kx: string };
/** A sealed pack; `digest` names it on the wire (PUT /v1/packs/{digest}). */
export type SealedPack = { readonly bytes: Uint8Array; readonly digest: Digest };
/** Opens the wrapped file key; the bridge does it with the machine's key and PACK_INFO. */
export type Unwrap = (enc: Uint8Array, aad: Uint8Array, ct: Uint8Array) => Promise<Uint8Array>;

/** `blobs` sealed to one machine: framed(canonical header, stream), the header with the HPKE-wrapped file key, the stream over framed(tgz,
 *  bundleJson) per blob. Bytes differ at each call (fresh keys). Throws RECIPIENT_MALFORMED or POINT_INVALID for a bad `kx`. */
export function sealPack(target: PackTarget, blobs: readonly PackBlob[], random: (size: number) => Uint8Array = randomBytes): SealedPack {
  const aad = canonBytes({
    t: TYPE,
    fleet: target.fleet,
    machine: target.machine,
    key: digestOf(target.kx),
    blobs: blobs.map((blob) => ({ digest: digestOf(blob.tgz), size: blob.tgz.length })),
  });
  const fileKey = new Uint8Array(random(32));
  const { enc, ct } = sealTo(pointOf(target.kx), PACK_INFO, aad, fileKey);
  const stream = sealStream(fileKey, framed(...blobs.flatMap((blob) => [blob.tgz, blob.bundleJson])));
  fileKey.fill(0);
  const header = canonBytes({ v: 1, t: TYPE, suite: SUITE, aad: toBase64(aad), enc: toBase64(enc), ct: toBase64(ct) });
  const bytes = framed(header, stream);
  return { bytes, digest: digestOf(bytes) };
}

/** The blobs of a pack for `mine`, each archive with the digest the header promises. Whoever uses one MUST still verify its signature:
 *  anybody who knows the machine's public key can seal a pack. Throws PACK_MALFORMED, PACK_NOT_OURS, STREAM_CORRUPT and what `unwrap` throws. */
export async function openPack(bytes: Uint8Array, unwrap: Unwrap, mine: PackTarget): Promise<readonly PackBlob[]> {
  const [header, stream] = partsOf(bytes, 2);
  const { aad, enc, ct } = headerOf(header as Uint8Array);
  const promised = promisedIn(aad, mine);
  const fileKey = await unwrap(enc, aad, ct);
  if (fileKey.length !== 32) throw malformed("its file key is not 32 bytes");
  const plain = openStream(fileKey, stream as Uint8Array);
  fileKey.fill(0);
  const parts = partsOf(plain, promised.length * 2);
  return promised.map(({ digest, size }, i) => {
    const blob = { tgz: parts[2 * i] as Uint8Array, bundleJson: parts[2 * i + 1] as Uint8Array };
    if (blob.tgz.length !== size || digestOf(blob.tgz) !== digest) throw malformed(`its archive ${i} is not the one of its header`);
    return blob;
  });
}

function headerOf(bytes: Uint8Array): { readonly aad: Uint8Array; readonly enc: Uint8Array; readonly ct: Uint8Array } {
  const header = members(bytes, ["aad", "ct", "enc", "suite", "t", "v"]);
  if (header["v"] !== 1 || header["t"] !== TYPE || header["suite"] !== SUITE) throw malformed("its header is of another version or suite");
  return { aad: bytesIn(header, "aad"), enc: bytesIn(header, "enc"), ct: bytesIn(header, "ct") };
}

function promisedIn(aad: Uint8Array, mine: PackTarget): readonly { readonly digest: Digest; readonly size: number }[] {
  const bound = members(aad, ["blobs", "fleet", "key", "machine", "t"]);
  if (bound["t"] !== TYPE || !Array.isArray(bound["blobs"])) throw malformed("its binding is of another form");
  if (bound["fleet"] !== mine.fleet || bound["machine"] !== mine.machine || bound["key"] !== digestOf(mine.kx))
    throw new MooringError("PACK_NOT_OURS", "a sealed pack", {
      why: `it is not bound to ${mine.machine} of ${mine.fleet} and its current key`,
    });
  return (bound["blobs"] as readonly Json[]).map((blob) => {
    const { digest, size, ...rest } = isJsonObject(blob) ? blob : {};
    if (!isDigest(digest) || typeof size !== "number" || Object.keys(rest).length > 0)
      throw malformed("its list of blobs is of another form");
    return { digest, size };
  });
}

function members(bytes: Uint8Array, names: readonly string[]): JsonObject {
  const value = attempt("its header is not canonical", () => readCanonical(bytes));
  if (!isJsonObject(value) || Object.keys(value).sort().join() !== names.join())
    throw malformed(`it does not have exactly the members ${names.join(", ")}`);
  return value;
}

function bytesIn(header: JsonObject, name: string): Uint8Array {
  const text = header[name];
  if (typeof text !== "string") throw malformed(`${name} is not text`);
  return attempt(`${name} is not base64`, () => fromBase64(text, name));
}

function partsOf(bytes: Uint8Array, count: number): readonly Uint8Array[] {
  const parts = attempt("its frames are cut", () => unframed(bytes));
  if (parts.length !== count) throw malformed(`it has ${parts.length} parts instead of ${count}`);
  return parts;
}

function attempt<T>(why: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof MooringError) throw malformed(why, cause);
    throw cause;
  }
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("PACK_MALFORMED", "a sealed pack", { why, cause });
}
