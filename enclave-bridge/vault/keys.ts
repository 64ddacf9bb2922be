import { createPublicKey } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import sodium from "sodium-native";
import { isErrno, makeFolder, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { LOCKED, withLocked } from "#bridge/memory.ts";
import type { NoteSigner } from "#bridge/log/index.ts";
import { ed25519NoteKey } from "#proof/tlog/index.ts";
import { type VaultSigner, vaultKeyText } from "#seal/envelope/index.ts";
import { bech32 } from "#seal/hpke/index.ts";
import type { AgeIdentity } from "./age.ts";

const SIZE = 32;
/** RFC 8410: SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes. */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** The vault's keys, private halves in locked memory as long as the process lives. */
export type VaultKeys = {
  readonly identity: AgeIdentity;
  /** `age1…`: what new secrets are sealed to. */
  readonly recipient: string;
  readonly signer: VaultSigner;
  /** Signs the vault's own audit log with the same key: its notes begin with the log's origin, never with a domain of ours. */
  noteSigner(origin: string): NoteSigner;
};

/** Makes both keys as files (0600) of the vault's user, unwrapped: whoever reads the disk has them. Throws VAULT_EXISTS when there are some. */
export async function makeKeys(dir: string): Promise<void> {
  await makeFolder(dir);
  for (const name of ["age", "sign"] as const) {
    if (await isThere(dir, name)) throw new MooringError("VAULT_EXISTS", `${dir}: there is a vault already`);
  }
  for (const name of ["age", "sign"] as const) {
    await withLocked(SIZE, async (bytes) => {
      sodium.randombytes_buf(bytes);
      await writeDurable(fileOf(dir, name), bytes);
    });
  }
}

/** Reads both keys into locked memory. Throws VAULT_KEYS_BROKEN when a file is missing, of another size, or readable by others. */
export async function loadKeys(dir: string): Promise<VaultKeys> {
  const age = await readKey(dir, "age");
  const recipient = Buffer.alloc(SIZE);
  sodium.crypto_scalarmult_base(recipient, age);
  const { secret, publicKey } = await signingKey(dir);
  const sign = (message: Uint8Array): Uint8Array => {
    const sig = new Uint8Array(64);
    sodium.crypto_sign_detached(sig, message, secret);
    return sig;
  };
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
  return {
    identity: { secret: age, recipient },
    recipient: bech32("age", recipient),
    signer: { key: vaultKeyText(key), sign },
    noteSigner: (origin) => ({ ...ed25519NoteKey(origin, publicKey), sign: async (text) => sign(text) }),
  };
}

async function signingKey(dir: string): Promise<{ secret: Buffer; publicKey: Buffer }> {
  const seed = await readKey(dir, "sign");
  const secret = LOCKED.alloc(64);
  const publicKey = Buffer.alloc(SIZE);
  sodium.crypto_sign_seed_keypair(publicKey, secret, seed);
  LOCKED.free(seed);
  return { secret, publicKey };
}

async function readKey(dir: string, name: "age" | "sign"): Promise<Buffer> {
  const file = await openKey(dir, name);
  const bytes = LOCKED.alloc(SIZE);
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) throw broken(dir, name, "others may read it; it should be 0600");
    if (size !== SIZE || (await file.read(bytes, 0, SIZE, 0)).bytesRead !== SIZE) throw broken(dir, name, "it is damaged");
    return bytes;
  } catch (err) {
    LOCKED.free(bytes);
    throw err;
  } finally {
    await file.close();
  }
}

async function openKey(dir: string, name: "age" | "sign") {
  try {
    return await open(fileOf(dir, name), "r");
  } catch (err) {
    if (isErrno(err, "ENOENT") || isErrno(err, "EACCES")) throw broken(dir, name, "it is missing or not readable", err);
    throw err;
  }
}

async function isThere(dir: string, name: "age" | "sign"): Promise<boolean> {
  try {
    await (await open(fileOf(dir, name), "r")).close();
    return true;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return false;
    throw err;
  }
}

function fileOf(dir: string, name: "age" | "sign"): string {
  return join(dir, `${name}.key`);
}

function broken(dir: string, name: "age" | "sign", why: string, cause?: unknown): MooringError {
  return new MooringError("VAULT_KEYS_BROKEN", fileOf(dir, name), { why, cause });
}
