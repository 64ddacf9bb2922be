import { MooringError } from "#base/errors/index.ts";
import { gunzip } from "../gzip.ts";
import { LIMITS, type Limits } from "../limits.ts";
import { byBytes, checkCollisions, checkPath } from "../paths.ts";
import { BLOCK, PREFIX, padding, type TarFile, tarHeader } from "../tar.ts";

/** The files of a packed plugin, sorted by path bytes. Accepts exactly what `packPlugin` writes: regular files in ustar, each header equal to
 *  the one we would write for the same path, mode and size; so links, devices, pax and GNU extensions, other owners and trailing data fall
 *  out by themselves. Pure; throws BUNDLE_MALFORMED, BUNDLE_TOO_LARGE, BUNDLE_PATH_REFUSED or BUNDLE_ENTRY_REFUSED. `bytes` are views. */
export function readBundle(tgz: Uint8Array, limits: Limits = LIMITS): readonly TarFile[] {
  if (tgz.length > limits.archiveBytes)
    throw new MooringError("BUNDLE_TOO_LARGE", "a plugin archive", { why: `it has more than ${limits.archiveBytes} bytes` });
  const tar = gunzip(tgz, limits.treeBytes + limits.files * 2 * BLOCK + 2 * BLOCK);
  const files = readFiles(tar, limits);
  checkCollisions(files.map((file) => file.path));
  return files;
}

function readFiles(tar: Uint8Array, limits: Limits): TarFile[] {
  const files: TarFile[] = [];
  let at = 0;
  let total = 0;
  for (;;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw malformed("it ends without its two zero blocks");
    if (header.every((byte) => byte === 0)) break;
    const file = readEntry(tar, at, limits);
    const last = files.at(-1);
    if (last !== undefined && byBytes(last.path, file.path) >= 0)
      throw malformed(`${JSON.stringify(file.path)} is there twice or out of order`);
    files.push(file);
    total += file.bytes.length;
    if (files.length > limits.files)
      throw new MooringError("BUNDLE_TOO_LARGE", "a plugin archive", { why: `it has more than ${limits.files} files` });
    if (total > limits.treeBytes)
      throw new MooringError("BUNDLE_TOO_LARGE", "a plugin archive", { why: `its files have more than ${limits.treeBytes} bytes` });
    at += BLOCK + file.bytes.length + padding(file.bytes.length);
  }
  if (tar.length !== at + 2 * BLOCK || !isZero(tar.subarray(at))) throw malformed("something follows its end");
  if (files.length === 0) throw malformed("it is empty");
  return files;
}

function readEntry(tar: Uint8Array, at: number, limits: Limits): TarFile {
  const header = Buffer.from(tar.buffer, tar.byteOffset + at, BLOCK);
  const type = header[156];
  if (type !== 0x30)
    throw new MooringError("BUNDLE_ENTRY_REFUSED", `entry at byte ${at} of a plugin archive`, {
      why: "it is not a regular file (link, folder, device or extension)",
    });
  const path = pathOf(header, at);
  const mode = numberAt(header, 100, 7);
  if (mode !== 0o644 && mode !== 0o755)
    throw new MooringError("BUNDLE_ENTRY_REFUSED", `file ${JSON.stringify(path)}`, { why: "its mode is neither 644 nor 755" });
  checkPath(path, limits.depth);
  const size = numberAt(header, 124, 11);
  if (!Buffer.from(tarHeader(path, mode, size)).equals(header))
    throw malformed(`the header of ${JSON.stringify(path)} is not the one a packed plugin has`);
  const bytes = tar.subarray(at + BLOCK, at + BLOCK + size);
  if (bytes.length < size) throw malformed(`it ends inside ${JSON.stringify(path)}`);
  if (!isZero(tar.subarray(at + BLOCK + size, at + BLOCK + size + padding(size))))
    throw malformed(`something is hidden after ${JSON.stringify(path)}`);
  return { path, mode, bytes };
}

function pathOf(header: Buffer, at: number): string {
  const name = textAt(header, 0, 100, at);
  const prefix = textAt(header, 345, 155, at);
  const whole = prefix === "" ? name : `${prefix}/${name}`;
  if (!whole.startsWith(PREFIX))
    throw new MooringError("BUNDLE_PATH_REFUSED", `file ${JSON.stringify(whole)}`, { why: `it is not inside ${PREFIX}` });
  return whole.slice(PREFIX.length);
}

function textAt(header: Buffer, from: number, size: number, at: number): string {
  const field = header.subarray(from, from + size);
  const end = field.indexOf(0);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(end === -1 ? field : field.subarray(0, end));
  } catch (cause) {
    throw malformed(`the name of the entry at byte ${at} is not UTF-8`, cause);
  }
}

/** An octal field of exactly `digits` digits; NaN never leaves here. */
function numberAt(header: Buffer, from: number, digits: number): number {
  const text = header.toString("latin1", from, from + digits);
  if (!/^[0-7]+$/.test(text)) throw malformed("a number in a header is not octal");
  return Number.parseInt(text, 8);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("BUNDLE_MALFORMED", "a plugin archive", { why, cause });
}
