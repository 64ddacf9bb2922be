import { createHash, verify } from "node:crypto";
import { fieldBytes, type SshKey } from "./key.ts";
import { malformed, parseSshsig, type Sshsig } from "./parse.ts";
import { Reader, ShortRead, sshString } from "./reader.ts";

/** Who signed. `sk` = a hardware key; `touched` = it says that somebody touched it (flag bit 0), `userVerified` = that it asked for a PIN or
 *  a finger (bit 2); both false for keys in files. `counter` is the hardware key's own, else null. */
export type SshSigner = {
  readonly key: string;
  readonly sk: boolean;
  readonly touched: boolean;
  readonly userVerified: boolean;
  readonly counter: number | null;
};

/** The signer of `message`, or null when the signature is over other bytes, for another namespace, or wrong. Throws SSHSIG_MALFORMED for
 *  bytes that are no SSHSIG. `ssh-keygen -Y verify` takes an untouched hardware key; here the caller decides by `touched`. */
export function verifySshsig(armored: string, message: Uint8Array, namespace: string): SshSigner | null {
  const sig = parseSshsig(armored);
  if (sig.namespace !== namespace) return null;
  try {
    return check(sig, signedBytes(sig, message));
  } catch (err) {
    if (err instanceof ShortRead) throw malformed(err.message);
    throw err;
  }
}

/** What an SSHSIG signs: magic, namespace, reserved, hash name, hash of the message. */
export function signedBytes(sig: { readonly namespace: string; readonly hash: "sha256" | "sha512" }, message: Uint8Array): Uint8Array {
  const digest = createHash(sig.hash).update(message).digest();
  return new Uint8Array(
    Buffer.concat([Buffer.from("SSHSIG"), sshString(sig.namespace), sshString(""), sshString(sig.hash), sshString(digest)]),
  );
}

function check(sig: Sshsig, data: Uint8Array): SshSigner | null {
  const reader = new Reader(sig.signature);
  const algorithm = reader.text();
  const body = reader.string();
  const { key } = sig;
  switch (key.type) {
    case "ssh-ed25519":
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
      reader.end();
      return algorithm === key.type && isGood(key, data, body) ? plain(key) : null;
    case "ssh-rsa":
      reader.end();
      return isGoodRsa(key, algorithm, data, body) ? plain(key) : null;
    case "sk-ssh-ed25519@openssh.com":
    case "sk-ecdsa-sha2-nistp256@openssh.com":
      return algorithm === key.type ? checkHardware(key, data, body, reader) : null;
    default:
      return key.type satisfies never;
  }
}

function plain(key: SshKey): SshSigner {
  return { key: key.text, sk: false, touched: false, userVerified: false, counter: null };
}

/** FIDO: the token signs SHA-256(application), its flags, its counter and SHA-256 of the data (OpenSSH PROTOCOL.u2f). */
function checkHardware(key: SshKey, data: Uint8Array, body: Uint8Array, reader: Reader): SshSigner | null {
  const flags = reader.u8();
  const counter = reader.u32();
  reader.end();
  const tail = Buffer.alloc(5);
  tail.writeUInt8(flags);
  tail.writeUInt32BE(counter, 1);
  const signed = Buffer.concat([createHash("sha256").update(key.application!).digest(), tail, createHash("sha256").update(data).digest()]);
  if (!isGood(key, signed, body)) return null;
  return { key: key.text, sk: true, touched: (flags & 0x01) !== 0, userVerified: (flags & 0x04) !== 0, counter };
}

function isGood(key: SshKey, data: Uint8Array, body: Uint8Array): boolean {
  if (key.type.includes("ed25519")) return body.length === 64 && verify(null, data, key.object, body);
  const field = fieldBytes(key.type);
  const reader = new Reader(body);
  const numbers = [reader.positive(), reader.positive()] as const;
  reader.end();
  if (numbers.some((n) => n.length > field)) return false;
  const sig = Buffer.alloc(2 * field);
  sig.set(numbers[0], field - numbers[0].length);
  sig.set(numbers[1], 2 * field - numbers[1].length);
  const hash = field === 32 ? "sha256" : field === 48 ? "sha384" : "sha512";
  return verify(hash, data, { key: key.object, dsaEncoding: "ieee-p1363" }, sig);
}

/** SHA-1 (`ssh-rsa`) is no signature algorithm here. */
function isGoodRsa(key: SshKey, algorithm: string, data: Uint8Array, body: Uint8Array): boolean {
  const hash = algorithm === "rsa-sha2-256" ? "sha256" : algorithm === "rsa-sha2-512" ? "sha512" : null;
  return hash !== null && verify(hash, data, key.object, body);
}
