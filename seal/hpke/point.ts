import { ECDH } from "node:crypto";
import { MooringError } from "#base/errors/index.ts";
import { bech32, unbech32 } from "./bech32.ts";

export const POINT_SIZE = 65;
const HRP = "age1tag";
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Throws POINT_INVALID unless `point` is a P-256 point, uncompressed (SEC 1 §2.3.3), on the curve. Done before every ECDH, since a key in
 *  hardware may answer for points off the curve and give itself away. The cofactor is 1, so this is the whole check. */
export function checkPoint(point: Uint8Array): void {
  if (point.length !== POINT_SIZE || point[0] !== 4) throw invalid("not 65 bytes beginning with 4");
  const x = bigOf(point.subarray(1, 33));
  const y = bigOf(point.subarray(33));
  if (x >= P || y >= P) throw invalid("a coordinate beyond the field");
  if ((y * y - (x * x * x - 3n * x + B)) % P !== 0n) throw invalid("not on the curve");
}

/** `age1tag1…`: a P-256 public key as an age recipient (C2SP age, p256tag): bech32 of the compressed point. */
export function recipientOf(point: Uint8Array): string {
  checkPoint(point);
  return bech32(HRP, compress(point));
}

/** The uncompressed point that `age1tag1…` names; throws RECIPIENT_MALFORMED for another form, POINT_INVALID for a value off the curve. */
export function pointOf(recipient: string): Uint8Array {
  const { hrp, bytes } = unbech32(recipient);
  if (hrp !== HRP || bytes.length !== 33)
    throw new MooringError("RECIPIENT_MALFORMED", "a key that is not age1tag1…", { why: "33 bytes with the prefix age1tag are asked for" });
  return decompress(bytes);
}

/** SEC 1 compressed form, 33 bytes. */
export function compress(point: Uint8Array): Uint8Array {
  const out = point.slice(0, 33);
  out[0] = 2 + ((point[64] ?? 0) & 1);
  return out;
}

function decompress(bytes: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(ECDH.convertKey(bytes, "prime256v1", undefined, undefined, "uncompressed") as Buffer);
  } catch (cause) {
    throw invalid("no point has this x", cause);
  }
}

function bigOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`);
}

function invalid(why: string, cause?: unknown): MooringError {
  return new MooringError("POINT_INVALID", "a public key that is no point of P-256", { why, cause });
}
