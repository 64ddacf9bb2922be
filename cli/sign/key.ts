import { readFile } from "node:fs/promises";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { parseKeyBlob, parseKeyText, Reader, ShortRead } from "#proof/sshsig/index.ts";

const MAGIC = "openssh-key-v1\0";
const PEM = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*$/;

/** The public half ("type base64") of what --key names: a .pub file (its private half is in ssh-agent), an OpenSSH private key (whose public
 *  half is in clear, passphrase or not), or another private key with FILE.pub beside it. Throws SIGNER_KEY_UNREADABLE. */
export async function publicHalf(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw unreadable(path, "there is no such file that this user may read", cause);
  });
  try {
    const text = bytes.toString("latin1");
    if (!text.includes("PRIVATE KEY")) return keyLine(text, path);
    const body = PEM.exec(text)?.[1];
    return body === undefined ? await besides(path) : inPrivate(Buffer.from(body, "base64"));
  } catch (err) {
    if (hasCode(err, "SSH_KEY_MALFORMED") || err instanceof ShortRead) throw unreadable(path, "it is no SSH key", err);
    throw err;
  } finally {
    bytes.fill(0);
  }
}

function keyLine(text: string, path: string): string {
  const [type, base64] = text.trim().split(/\s+/);
  if (type === undefined || base64 === undefined) throw unreadable(path, "it is no SSH key");
  return parseKeyText(`${type} ${base64}`).text;
}

async function besides(path: string): Promise<string> {
  const text = await readFile(`${path}.pub`, "utf8").catch((cause: unknown) => {
    throw unreadable(path, "it is an old form of private key, and its .pub file is not beside it", cause);
  });
  return keyLine(text, `${path}.pub`);
}

/** PROTOCOL.key of OpenSSH: magic, cipher, kdf, kdf options, number of keys, public keys, then the private part, which stays unread. */
function inPrivate(bytes: Buffer): string {
  const reader = new Reader(bytes);
  if (Buffer.from(reader.take(MAGIC.length)).toString("latin1") !== MAGIC) throw new ShortRead("no OpenSSH key");
  for (let i = 0; i < 3; i++) reader.string();
  if (reader.u32() !== 1) throw new ShortRead("not one key");
  return parseKeyBlob(reader.string()).text;
}

function unreadable(path: string, why: string, cause?: unknown): MooringError {
  return new MooringError("SIGNER_KEY_UNREADABLE", `key ${path}`, { why, cause });
}
