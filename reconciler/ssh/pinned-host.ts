import { fromBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** One host key as its wire blob (RFC 4253 §6.6). Made only by `pinOf`, so that a host without pins can't be written down. */
export type HostKeyPin = { readonly blob: Buffer; readonly [pinned]: true };
declare const pinned: unique symbol;

/** Where a machine is and which host keys it may show. At least one pin, by type: a connection to an unknown host can't be asked for. */
export type PinnedHost = {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly username: string;
  readonly pins: readonly [HostKeyPin, ...HostKeyPin[]];
};

/** Pins from `spec.hostKeys` lines ("ssh-ed25519 AAAA…", a comment may follow); throws SSH_HOST_KEY_MALFORMED, also for none. */
export function pinsOf(lines: readonly string[], where: string): PinnedHost["pins"] {
  const [first, ...rest] = lines.map((line) => pinOf(line, where));
  if (first === undefined) throw new MooringError("SSH_HOST_KEY_MALFORMED", `${where}: no host key`);
  return [first, ...rest];
}

/** The key's type as its bytes name it: "ssh-ed25519". */
export function typeOf({ blob }: HostKeyPin): string {
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
}

function pinOf(line: string, where: string): HostKeyPin {
  const [type, base64] = line.split(" ");
  const blob = Buffer.from(blobOf(base64 ?? "", where));
  const pin = { blob } as HostKeyPin;
  if (blob.length <= 4 || typeOf(pin) === "" || typeOf(pin) !== type)
    throw new MooringError("SSH_HOST_KEY_MALFORMED", `${where}: the key's type and its bytes disagree`);
  return pin;
}

function blobOf(base64: string, where: string): Uint8Array {
  try {
    return fromBase64(base64, where);
  } catch (cause) {
    throw new MooringError("SSH_HOST_KEY_MALFORMED", `${where}: not a public key`, { cause });
  }
}
