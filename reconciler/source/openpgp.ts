import type { Key } from "openpgp";
import { MooringError } from "#base/errors/index.ts";

const BLOCK = /-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g;
/** One armor and nothing around it: the library passes over what follows, and git refuses a second signature. */
const ONE = /^-----BEGIN PGP SIGNATURE-----\n(?:(?!-----)[^\n]*\n)*-----END PGP SIGNATURE-----\s*$/;
const MAX_KEYS_CHARS = 1_048_576;
const CLOCK_SKEW_MS = 300_000;

/** Why an OpenPGP signature over a commit does not count, or null when it does: one detached binary signature by one of `keys` (armored, one block after
 *  another), a key that was good when it signed and, as gpg and git have it, is neither expired nor revoked at `now`. What the library rejects (SHA-1,
 *  short RSA, DSA) is rejected here, too. The library is loaded at the first such signature: most fleets have none. */
export async function openpgpRefusal(armored: string, payload: Uint8Array, keys: string | null, now: Date): Promise<string | null> {
  if (keys === null) return "it has an OpenPGP signature, and the fleet repo has no OpenPGP keys";
  if (!ONE.test(armored)) return "its signature is not one binary OpenPGP signature";
  const openpgp = await import("openpgp");
  const known = await keysIn(keys);
  try {
    const signature = await openpgp.readSignature({ armoredSignature: armored });
    const [packet] = signature.packets;
    if (signature.packets.length !== 1 || packet?.signatureType !== openpgp.enums.signature.binary)
      return "its signature is not one binary OpenPGP signature";
    const date = laterOf(now, packet.created);
    const message = await openpgp.createMessage({ binary: payload });
    const { signatures } = await openpgp.verify({ message, signature, verificationKeys: [...known], format: "binary", date });
    const [found] = signatures;
    if (found === undefined) return "its OpenPGP signature is empty";
    await found.verified;
    for (const key of known) if (await isGoodAt(key, found.keyID, date)) return null;
    return "its OpenPGP key is expired or revoked";
  } catch {
    return "its OpenPGP signature does not hold under a key of the fleet repo"; // the library's text names no rule of ours
  }
}

/** Now, or when a signature says it was made, where the signer's clock is a little ahead of ours. */
function laterOf(now: Date, created: Date | null): Date {
  const ahead = (created?.getTime() ?? 0) - now.getTime();
  return created !== null && ahead > 0 && ahead <= CLOCK_SKEW_MS ? created : now;
}

type KeyId = Parameters<Key["getSigningKey"]>[0];

async function isGoodAt(key: Key, keyId: KeyId, now: Date): Promise<boolean> {
  try {
    await key.getSigningKey(keyId, now);
    return true;
  } catch {
    return false; // another key, or one that is no longer good
  }
}

async function keysIn(text: string): Promise<readonly Key[]> {
  const openpgp = await import("openpgp");
  if (text.length > MAX_KEYS_CHARS) throw unreadable("more than 1 MiB");
  try {
    const blocks = text.match(BLOCK) ?? [];
    const lists = await Promise.all(blocks.map((armoredKeys) => openpgp.readKeys({ armoredKeys })));
    return lists.flat();
  } catch (cause) {
    throw unreadable("it is not a list of armored OpenPGP public keys", cause);
  }
}

function unreadable(why: string, cause?: unknown): MooringError {
  return new MooringError("COMMIT_KEYS_INVALID", "the OpenPGP keys of the fleet repo", { why, cause });
}
