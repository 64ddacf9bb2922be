import { MooringError } from "#base/errors/index.ts";
import { byBytes } from "./paths.ts";

export const BLOCK = 512;
/** Every entry lies in this folder, as in npm's archives, so that OpenClaw's own installer and `npm view` read ours. */
export const PREFIX = "package/";
/** 1985-10-26T08:15:00Z: npm's constant; a zip of the tree can carry it, unlike 1970. */
const MTIME = 499162500;

/** A regular file of a bundle. `mode` is 0o644 or 0o755. */
export type TarFile = { readonly path: string; readonly mode: number; readonly bytes: Uint8Array };

/** The one ustar archive of `files`: sorted by path bytes, no times, owners or folders, two zero blocks at the end. Pure. Throws
 *  BUNDLE_PATH_REFUSED for a path that ustar cannot hold. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const file of files.toSorted((a, b) => byBytes(a.path, b.path))) {
    parts.push(tarHeader(file.path, file.mode, file.bytes.length), file.bytes, new Uint8Array(padding(file.bytes.length)));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Uint8Array(Buffer.concat(parts));
}

/** The header block of one file. A reader that writes it again and compares bytes accepts no second spelling of anything. */
export function tarHeader(path: string, mode: number, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = splitName(path);
  name.copy(block, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108); // uid
  block.write(octal(0, 7), 116); // gid
  block.write(octal(size, 11), 124);
  block.write(octal(MTIME, 11), 136);
  block.fill(0x20, 148, 156);
  block.write("0", 156); // regular file
  block.write("ustar\u000000", 257);
  block.write(octal(0, 7), 329); // device major and minor
  block.write(octal(0, 7), 337);
  prefix.copy(block, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
  return block;
}

export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** ustar keeps 100 bytes of name and 155 of folder; the split is the first that fits, so there is only one. */
function splitName(path: string): { readonly name: Buffer; readonly prefix: Buffer } {
  const whole = Buffer.from(PREFIX + path);
  if (whole.length <= 100) return { name: whole, prefix: Buffer.alloc(0) };
  for (let at = whole.indexOf(0x2f); at !== -1 && at <= 155; at = whole.indexOf(0x2f, at + 1)) {
    if (whole.length - at - 1 <= 100) return { name: whole.subarray(at + 1), prefix: whole.subarray(0, at) };
  }
  throw new MooringError("BUNDLE_PATH_REFUSED", `file ${JSON.stringify(path)}`, {
    why: "its path is too long for a ustar archive (155 bytes of folders, 100 of name)",
  });
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, "0")}\u0000`;
}
