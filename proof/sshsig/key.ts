import { createPublicKey, type KeyObject } from "node:crypto";
import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { Reader, ShortRead } from "./reader.ts";

/** A public key as OpenSSH writes it. `text` = "type base64", the one spelling that is compared; `application` only for hardware keys. */
export type SshKey = { readonly type: KeyType; readonly text: string; readonly object: KeyObject; readonly application: string | null };

export type KeyType = (typeof KEY_TYPES)[number];
const KEY_TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
] as const;

const CURVES = {
  nistp256: { crv: "P-256", bytes: 32 },
  nistp384: { crv: "P-384", bytes: 48 },
  nistp521: { crv: "P-521", bytes: 66 },
} as const;

/** Bytes of one coordinate, and of r and s, by key type. */
export function fieldBytes(type: KeyType): number {
  return type.includes("nistp384") ? 48 : type.includes("nistp521") ? 66 : 32;
}

/** A key from its wire bytes; throws SSH_KEY_MALFORMED for anything but exactly one key of a type we take. */
export function parseKeyBlob(blob: Uint8Array): SshKey {
  try {
    const reader = new Reader(blob);
    const type = reader.text() as KeyType;
    const { object, application } = readBody(type, reader);
    reader.end();
    return { type, text: `${type} ${toBase64(blob)}`, object, application };
  } catch (err) {
    if (err instanceof ShortRead) throw malformed(err.message);
    if (err instanceof MooringError) throw err;
    throw malformed("numbers that are no key", err);
  }
}

/** A key from "type base64", without comment; throws SSH_KEY_MALFORMED. */
export function parseKeyText(text: string): SshKey {
  const [type, base64, ...rest] = text.split(" ");
  if (type === undefined || base64 === undefined || rest.length > 0) throw malformed("text that is not type and base64");
  let blob: Uint8Array;
  try {
    blob = fromBase64(base64, "key");
  } catch (err) {
    if (hasCode(err, "BASE64_MALFORMED")) throw malformed("text that is not base64");
    throw err;
  }
  const key = parseKeyBlob(blob);
  if (key.type !== type) throw malformed("a type that is not the one inside the key");
  return key;
}

function readBody(keyType: KeyType, reader: Reader): { readonly object: KeyObject; readonly application: string | null } {
  switch (keyType) {
    case "ssh-ed25519":
      return { object: ed25519(reader.string()), application: null };
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
      return { object: ecdsa(keyType.slice("ecdsa-sha2-".length), reader), application: null };
    case "ssh-rsa":
      return { object: rsa(reader), application: null };
    case "sk-ssh-ed25519@openssh.com":
      return { object: ed25519(reader.string()), application: applicationOf(reader) };
    case "sk-ecdsa-sha2-nistp256@openssh.com":
      return { object: ecdsa("nistp256", reader), application: applicationOf(reader) };
    default:
      keyType satisfies never;
      throw malformed("a type we do not take");
  }
}

/** The relying party of a hardware key. Only `ssh:…` is SSH's own; a web site's key must not sign releases. */
function applicationOf(reader: Reader): string {
  const application = reader.text();
  if (!application.startsWith("ssh:")) throw malformed("a hardware key whose application is not ssh:");
  return application;
}

function ed25519(raw: Uint8Array): KeyObject {
  if (raw.length !== 32) throw malformed("an Ed25519 key that is not 32 bytes");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: url64(raw) }, format: "jwk" });
}

function ecdsa(curve: string, reader: Reader): KeyObject {
  if (reader.text() !== curve) throw malformed("a curve that is not the type's");
  const { crv, bytes } = CURVES[curve as keyof typeof CURVES];
  const point = reader.string();
  if (point.length !== 1 + 2 * bytes || point[0] !== 4) throw malformed("a point that is not uncompressed");
  return createPublicKey({
    key: { kty: "EC", crv, x: url64(point.subarray(1, 1 + bytes)), y: url64(point.subarray(1 + bytes)) },
    format: "jwk",
  });
}

function rsa(reader: Reader): KeyObject {
  const e = reader.positive();
  const n = reader.positive();
  const bits = n.length * 8 - Math.clz32(n[0]!) + 24;
  if (bits < 2048 || bits > 16384) throw malformed("an RSA key outside 2048 to 16384 bit");
  if (e.length > 8) throw malformed("an RSA exponent beyond 64 bit");
  return createPublicKey({ key: { kty: "RSA", n: url64(n), e: url64(e) }, format: "jwk" });
}

function url64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("SSH_KEY_MALFORMED", "a public key that cannot be read", { why, cause });
}
