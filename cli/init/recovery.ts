import { generateKeyPairSync, randomBytes } from "node:crypto";
import { newEscrow } from "../secret-ref/index.ts";

/** The recovery principal: a signing key for the role root and an age key that every secret is sealed to as well. `paper` holds the private halves of
 *  what was made here, and goes to paper only; null when both were given. */
export type Recovery = { readonly key: string; readonly recipient: string; readonly paper: string | null };

/** Makes what is not given. Nothing is written anywhere. */
export async function recoveryOf(given: { readonly key?: string; readonly recipient?: string }, name: string): Promise<Recovery> {
  const signing = given.key === undefined ? newSigningKey(`recovery of ${name}`) : null;
  const escrow = given.recipient === undefined ? await newEscrow() : null;
  const parts = [
    ...(signing === null ? [] : [`Signing key (OpenSSH private key) of the principal recovery:\n\n${signing.pem}`]),
    ...(escrow === null ? [] : [`Escrow of secrets (age identity):\n\n${escrow.identity}\n`]),
  ];
  return {
    key: given.key ?? signing!.key,
    recipient: given.recipient ?? escrow!.recipient,
    paper: parts.length === 0 ? null : parts.join("\n"),
  };
}

/** An Ed25519 key in OpenSSH's own form (PROTOCOL.key), so that ssh-keygen signs with it once it is typed in again. */
function newSigningKey(comment: string): { readonly key: string; readonly pem: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const type = text("ssh-ed25519");
  const blob = Buffer.concat([type, text(point)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([check, check, type, text(point), text(Buffer.concat([seed, point])), text(comment)]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const none = text("none");
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    none,
    none,
    text(""),
    u32(1),
    text(blob),
    text(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString("base64").match(/.{1,64}/g)!;
  const pem = ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
  for (const bytes of [seed, secret, whole]) bytes.fill(0);
  return { key: `ssh-ed25519 ${blob.toString("base64")}`, pem };
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
