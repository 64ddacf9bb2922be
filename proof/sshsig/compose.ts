import { toBase64 } from "#base/canonical/index.ts";
import { sshString } from "./reader.ts";

/** An armored SSHSIG as `ssh-keygen -Y sign` writes it. `key` and `signature` are SSH blobs (`type` and its fields; `algorithm` and the bytes over
 *  `signedBytes`). Pure. */
export function composeSshsig(parts: {
  readonly key: Uint8Array;
  readonly namespace: string;
  readonly hash: "sha256" | "sha512";
  readonly signature: Uint8Array;
}): string {
  const version = Buffer.from([0, 0, 0, 1]);
  const fields = [parts.key, parts.namespace, "", parts.hash, parts.signature].map((field) => sshString(field));
  const lines = toBase64(Buffer.concat([Buffer.from("SSHSIG"), version, ...fields])).match(/.{1,70}/g) ?? [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join("\n")}\n-----END SSH SIGNATURE-----\n`;
}
