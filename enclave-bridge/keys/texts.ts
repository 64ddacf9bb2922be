import { toBase64 } from "#base/canonical/index.ts";
import { checkPoint, type Ecdh, recipientOf } from "#seal/hpke/index.ts";
import type { DeviceKeyDriver, KeyHandle } from "./driver.ts";

/** RFC 5480: SubjectPublicKeyInfo of a P-256 key up to its uncompressed point. */
const SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");

/** SPKI DER of a P-256 point. */
export function spkiOf(point: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([SPKI, point]));
}

/** `identity.kx`: `age1tag1…` of the machine's ECDH key. */
export async function kxText(driver: DeviceKeyDriver, handle: KeyHandle): Promise<string> {
  return recipientOf(await driver.publicKey(handle));
}

/** `identity.sig`: base64 of the SPKI DER of the machine's signing key. */
export async function sigText(driver: DeviceKeyDriver, handle: KeyHandle): Promise<string> {
  return toBase64(spkiOf(await driver.publicKey(handle)));
}

/** The key as `seal/hpke` takes it. */
export function ecdhOf(driver: DeviceKeyDriver, handle: KeyHandle): Ecdh {
  return async (peerPoint) => {
    checkPoint(peerPoint);
    return await driver.ecdh(handle, peerPoint);
  };
}
