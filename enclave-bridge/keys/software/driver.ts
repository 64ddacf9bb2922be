import { createECDH, createPrivateKey, type ECDH, sign } from "node:crypto";
import { open, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { isErrno, makeFolder, syncFolder, writeDurable } from "#base/durable/index.ts";
import { LOCKED, withLocked } from "#bridge/memory.ts";
import { checkPoint } from "#seal/hpke/index.ts";
import type { DeviceKeyDriver, KeyHandle, KeyUse } from "../driver.ts";
import { keyError } from "../faults.ts";

/** PKCS #8 of a P-256 key up to its scalar (RFC 5915, no public key inside). */
const PKCS8 = Buffer.from("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420", "hex");
const SCALAR = 32;

export type SoftwareOptions = {
  /** Folder of the keys, 0700, on the machine's disk. */
  readonly dir: string;
  /** The explicit opt-in (fleet and pins); without it nothing works. */
  readonly allowSoftwareKeys: boolean;
};

/** Keys that are only files (0600) of the process's user: whoever reads the disk has them. Throws KEY_USE_DENIED without the opt-in. The scalar
 *  passes through locked memory; node:crypto keeps its own copy inside OpenSSL for the time of one operation and wipes it there. */
export function softwareDriver({ dir, allowSoftwareKeys }: SoftwareOptions): DeviceKeyDriver {
  if (!allowSoftwareKeys) throw keyError("denied", "kx", "keys that are only files need allowSoftwareKeys");
  return {
    kind: "software",
    info: async () => ({ kind: "software", assurance: "none", exportable: true, needsUnlock: false }),
    find: async (use) => ((await isThere(dir, use)) ? handleOf(use) : null),
    generate: (use) => generate(dir, use),
    publicKey: (handle) => withEcdh(dir, handle.use, (key) => new Uint8Array(key.getPublicKey())),
    ecdh: async (handle, peer) => {
      if (handle.use !== "kx") throw keyError("denied", handle.use, "a signing key does no ECDH");
      checkPoint(peer);
      return await withEcdh(dir, handle.use, (key) => key.computeSecret(peer));
    },
    sign: async (handle, message) => {
      if (handle.use !== "sig") throw keyError("denied", handle.use, "an ECDH key signs nothing");
      return await withScalar(dir, handle.use, (der) => signWith(der, message));
    },
    attest: async (handle) => {
      await withScalar(dir, handle.use, () => null); // KEY_GONE before an empty answer
      return [];
    },
    destroy: (handle) => destroy(dir, handle.use),
  };
}

function handleOf(use: KeyUse): KeyHandle {
  return { driver: "software", use, id: use };
}

async function isThere(dir: string, use: KeyUse): Promise<boolean> {
  try {
    await stat(fileOf(dir, use));
    return true;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return false;
    throw keyError("unavailable", use, "its file can't be looked at", err);
  }
}

async function generate(dir: string, use: KeyUse): Promise<KeyHandle> {
  if (await isThere(dir, use)) throw keyError("denied", use, "there is a key already; destroy it first");
  await makeFolder(dir);
  const key = createECDH("prime256v1");
  key.generateKeys();
  const scalar = key.getPrivateKey(); // may be shorter than 32 bytes
  await withLocked(SCALAR, async (padded) => {
    scalar.copy(padded, SCALAR - scalar.length);
    scalar.fill(0);
    await writeDurable(fileOf(dir, use), padded);
  });
  return handleOf(use);
}

async function destroy(dir: string, use: KeyUse): Promise<void> {
  try {
    await unlink(fileOf(dir, use));
    await syncFolder(dir);
  } catch (err) {
    if (isErrno(err, "ENOENT")) throw keyError("gone", use, "there is no such key", err);
    throw keyError("unavailable", use, "its file can't be removed", err);
  }
}

function withEcdh<T>(dir: string, use: KeyUse, work: (key: ECDH) => T): Promise<T> {
  return withScalar(dir, use, (der) => {
    const key = createECDH("prime256v1");
    key.setPrivateKey(der.subarray(PKCS8.length));
    return work(key);
  });
}

function signWith(der: Buffer, message: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return new Uint8Array(sign("sha256", message, { key, dsaEncoding: "ieee-p1363" }));
}

/** Reads the key into locked memory, as PKCS #8, for the time of `work`. */
async function withScalar<T>(dir: string, use: KeyUse, work: (der: Buffer) => T): Promise<T> {
  const der = LOCKED.alloc(PKCS8.length + SCALAR);
  try {
    PKCS8.copy(der);
    await readScalar(fileOf(dir, use), use, der.subarray(PKCS8.length));
    return work(der);
  } finally {
    LOCKED.free(der);
  }
}

async function readScalar(path: string, use: KeyUse, out: Buffer): Promise<void> {
  const file = await openKey(path, use);
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) throw keyError("unavailable", use, "others may read its file; it should be 0600");
    if (size !== SCALAR || (await file.read(out, 0, SCALAR, 0)).bytesRead !== SCALAR)
      throw keyError("unavailable", use, "its file is damaged");
  } finally {
    await file.close();
  }
}

async function openKey(path: string, use: KeyUse) {
  try {
    return await open(path, "r");
  } catch (err) {
    if (isErrno(err, "ENOENT")) throw keyError("gone", use, "its file is not there", err);
    throw keyError("unavailable", use, "its file can't be opened", err);
  }
}

function fileOf(dir: string, use: KeyUse): string {
  return join(dir, `${use}.key`);
}
