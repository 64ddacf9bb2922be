import { fromBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { parseKeyBlob, type SshKey } from "./key.ts";
import { Reader, ShortRead } from "./reader.ts";

/** A parsed SSHSIG (OpenSSH PROTOCOL.sshsig). `signature` is the wire blob of the key's own signature. Nothing is verified yet. */
export type Sshsig = {
  readonly key: SshKey;
  readonly namespace: string;
  readonly hash: "sha256" | "sha512";
  readonly signature: Uint8Array;
};

const BEGIN = "-----BEGIN SSH SIGNATURE-----\n";
const END = /\n-----END SSH SIGNATURE-----\n?$/;
const MAX_TEXT = 16_384; // an RSA-16384 key and signature take 6 kB

/** The signature in its armor; throws SSHSIG_MALFORMED for bytes that are no SSHSIG by a key type we take. One line feed at the end may be
 *  missing, as it is inside a commit. */
export function parseSshsig(armored: string): Sshsig {
  try {
    return parseBlob(unarmored(armored));
  } catch (err) {
    if (err instanceof ShortRead) throw malformed(err.message);
    if (err instanceof MooringError && err.code !== "SSHSIG_MALFORMED") throw malformed(err.why ?? "an unreadable part", err);
    throw err;
  }
}

function unarmored(armored: string): Uint8Array {
  if (armored.length > MAX_TEXT) throw malformed("more than 16 KiB");
  const end = END.exec(armored);
  if (!armored.startsWith(BEGIN) || end === null) throw malformed("no BEGIN and END line around it");
  const lines = armored.slice(BEGIN.length, end.index).split("\n");
  if (!lines.every((line) => /^[A-Za-z0-9+/]{1,76}={0,2}$/.test(line))) throw malformed("lines that are not base64");
  return fromBase64(lines.join(""), "SSH signature");
}

function parseBlob(blob: Uint8Array): Sshsig {
  const reader = new Reader(blob);
  if (Buffer.from(reader.take(6)).toString("latin1") !== "SSHSIG") throw malformed("no magic");
  if (reader.u32() !== 1) throw malformed("a version other than 1");
  const key = parseKeyBlob(reader.string());
  const namespace = reader.text();
  if (namespace === "") throw malformed("an empty namespace");
  if (reader.string().length !== 0) throw malformed("a reserved part that is not empty");
  const hash = reader.text();
  if (hash !== "sha256" && hash !== "sha512") throw malformed("a hash other than sha256 and sha512");
  const signature = reader.string();
  reader.end();
  return { key, namespace, hash, signature };
}

export function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("SSHSIG_MALFORMED", "an SSH signature that cannot be read", { why, cause });
}
