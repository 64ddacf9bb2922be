import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { toBase64 } from "#base/canonical/index.ts";
import { signedBytes, sshString } from "#proof/sshsig/index.ts";

/** A key made for one test. `key` = "type base64"; `sign` gives an armored SSHSIG as `ssh-keygen -Y sign` would. */
export type TestSigner = { readonly key: string; sign(message: Uint8Array, namespace: string, options?: SignOptions): string };

export type SignOptions = { readonly hash?: "sha256" | "sha512"; readonly flags?: number; readonly counter?: number };

/** A key in a file: Ed25519 or P-256. */
export function fileSigner(kind: "ed25519" | "nistp256" = "ed25519"): TestSigner {
  const { publicKey, privateKey } = newPair(kind);
  const type = kind === "ed25519" ? "ssh-ed25519" : "ecdsa-sha2-nistp256";
  const blob = Buffer.concat([sshString(type), body(kind, publicKey)]);
  return {
    key: `${type} ${toBase64(blob)}`,
    sign: (message, namespace, { hash = "sha512" } = {}) => {
      const inner = rawSignature(kind, privateKey, signedBytes({ namespace, hash }, message));
      return armor(blob, namespace, hash, Buffer.concat([sshString(type), sshString(inner)]));
    },
  };
}

/** A hardware key, played by software: it signs application, flags, counter and data as a FIDO2 token does. Flags default to 1, touched. */
export function hardwareSigner(kind: "ed25519" | "nistp256" = "ed25519", application = "ssh:"): TestSigner {
  const { publicKey, privateKey } = newPair(kind);
  const type = kind === "ed25519" ? "sk-ssh-ed25519@openssh.com" : "sk-ecdsa-sha2-nistp256@openssh.com";
  const blob = Buffer.concat([sshString(type), body(kind, publicKey), sshString(application)]);
  return {
    key: `${type} ${toBase64(blob)}`,
    sign: (message, namespace, { hash = "sha512", flags = 1, counter = 7 } = {}) => {
      const tail = Buffer.alloc(5);
      tail.writeUInt8(flags);
      tail.writeUInt32BE(counter, 1);
      const sha = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();
      const inner = rawSignature(kind, privateKey, Buffer.concat([sha(application), tail, sha(signedBytes({ namespace, hash }, message))]));
      return armor(blob, namespace, hash, Buffer.concat([sshString(type), sshString(inner), tail]));
    },
  };
}

/** An armored SSHSIG of given parts, for tests that need a wrong one. */
export function armor(key: Uint8Array, namespace: string, hash: string, signature: Uint8Array): string {
  const head = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([
    Buffer.from("SSHSIG"),
    head,
    sshString(key),
    sshString(namespace),
    sshString(""),
    sshString(hash),
    sshString(signature),
  ]);
  return armorBlob(blob);
}

export function armorBlob(blob: Uint8Array): string {
  const lines = toBase64(blob).match(/.{1,70}/g) ?? [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join("\n")}\n-----END SSH SIGNATURE-----\n`;
}

function newPair(kind: "ed25519" | "nistp256"): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return kind === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function body(kind: "ed25519" | "nistp256", key: KeyObject): Buffer {
  const jwk = key.export({ format: "jwk" });
  const part = (name: "x" | "y"): Buffer => Buffer.from(jwk[name]!, "base64url");
  if (kind === "ed25519") return Buffer.from(sshString(part("x")));
  return Buffer.concat([sshString("nistp256"), sshString(Buffer.concat([Buffer.from([4]), part("x"), part("y")]))]);
}

function rawSignature(kind: "ed25519" | "nistp256", key: KeyObject, data: Uint8Array): Uint8Array {
  if (kind === "ed25519") return sign(null, data, key);
  const rs = sign("sha256", data, { key, dsaEncoding: "ieee-p1363" });
  return Buffer.concat([mpint(rs.subarray(0, 32)), mpint(rs.subarray(32))]);
}

function mpint(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const short = bytes.subarray(at);
  return sshString(short[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}
