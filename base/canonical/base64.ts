import { MooringError } from "#base/errors/index.ts";

/** Bytes of strict base64 (RFC 4648 §4 with padding, no white space, no spare bits); throws BASE64_MALFORMED naming `where`. */
export function fromBase64(text: string, where: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new MooringError("BASE64_MALFORMED", `${where}: not strict base64`);
  return new Uint8Array(bytes);
}

/** Padded base64 of `bytes`. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
