import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { join } from "node:path";
import { toBase64 } from "#base/canonical/index.ts";
import { isErrno, makeFolder, readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { composeSshsig, HUB_PRINCIPAL, signedBytes, sshString } from "#proof/sshsig/index.ts";

/** The key a hub signs with where a role is `by: hub`. `key` = "type base64", as trust/allowed_signers names it. */
export type HubKey = { readonly key: string; readonly sign: (bytes: Uint8Array, namespace: string) => string };

const TYPE = "ssh-ed25519";
const HASH = "sha512";

/** The key in the hub's folder; null where it has none. Throws HUB_KEY_UNUSABLE for a file that is none. */
export async function readHubKey(dir: string): Promise<HubKey | null> {
  const file = fileIn(dir);
  const pem = await readFile(file);
  return pem === null ? null : hubKeyOf(privateKeyIn(pem, file));
}

/** The key in the hub's folder, made there (mode 0600) where there is none: a hub keeps its key, or its signatures would not be those of the trust section. */
export async function makeHubKey(dir: string): Promise<HubKey> {
  const known = await readHubKey(dir);
  if (known !== null) return known;
  const { privateKey } = generateKeyPairSync("ed25519");
  await makeFolder(dir);
  await writeDurable(fileIn(dir), privateKey.export({ type: "pkcs8", format: "pem" }).toString(), 0o600);
  return hubKeyOf(privateKey);
}

/** The line of trust/allowed_signers that gives this key to the hub. */
export function hubKeyLine({ key }: Pick<HubKey, "key">): string {
  return `${HUB_PRINCIPAL} namespaces="mooring-release,mooring-secrets" ${key}`;
}

function hubKeyOf(privateKey: KeyObject): HubKey {
  const point = createPublicKey(privateKey).export({ format: "jwk" }).x ?? "";
  const blob = Buffer.concat([sshString(TYPE), sshString(Buffer.from(point, "base64url"))]);
  return {
    key: `${TYPE} ${toBase64(blob)}`,
    sign: (bytes, namespace) => {
      const raw = sign(null, signedBytes({ namespace, hash: HASH }, bytes), privateKey);
      return composeSshsig({ key: blob, namespace, hash: HASH, signature: Buffer.concat([sshString(TYPE), sshString(raw)]) });
    },
  };
}

function fileIn(dir: string): string {
  return join(dir, "hub-key.pem");
}

async function readFile(file: string): Promise<Uint8Array | null> {
  try {
    return await readIfThere(file);
  } catch (cause) {
    if (!isErrno(cause, "EACCES")) throw cause;
    throw new MooringError("HUB_KEY_UNUSABLE", file, { why: "this user may not read it", cause });
  }
}

function privateKeyIn(pem: Uint8Array, file: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(Buffer.from(pem));
  } catch (cause) {
    throw new MooringError("HUB_KEY_UNUSABLE", file, { why: "it is not a private key in PEM", cause });
  }
  if (key.asymmetricKeyType !== "ed25519") throw new MooringError("HUB_KEY_UNUSABLE", file, { why: "it is not an Ed25519 key" });
  return key;
}
