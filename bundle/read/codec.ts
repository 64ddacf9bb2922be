import { asDigest, canonBytes, type Digest, digestOf, isJsonObject, type Json, readCanonical } from "#base/canonical/index.ts";
import { hasCode, isErrorCode, MooringError } from "#base/errors/index.ts";
import { LIMITS, type Limits } from "../limits.ts";
import { byBytes, checkCollisions, checkPath } from "../paths.ts";
import type { TarFile } from "../tar.ts";

/** A file that the unprivileged child unpacked, with the hash of the bytes as the parent saw them. */
export type UnpackedFile = TarFile & { readonly sha256: Digest };

// Files have a list entry of some 400 bytes at the longest path.
const HEADER_BYTES_PER_FILE = 512;

/** What the child writes: u32 size of a canonical header, the header, then all contents without gaps. */
export function encodeUnpacked(files: readonly TarFile[]): Uint8Array {
  return framed(
    { v: 1, files: files.map((file) => [file.path, file.mode, file.bytes.length]) },
    files.map((file) => file.bytes),
  );
}

/** What the child writes when it refuses the archive. */
export function encodeRefusal(err: MooringError): Uint8Array {
  return framed({ v: 1, refused: { code: err.code, message: err.message, why: err.why ?? "" } }, []);
}

/** The most bytes a child within `limits` writes; a parent stops reading there. */
export function unpackedLimit(limits: Limits): number {
  return 4 + 256 + limits.files * HEADER_BYTES_PER_FILE + limits.treeBytes;
}

/** Files of a child's output, checked again by the rules of paths, modes, order and limits, since the child has touched hostile bytes.
 *  Throws the child's own refusal, or UNPACK_FAILED when the output is not whole. */
export function decodeUnpacked(output: Uint8Array, limits: Limits = LIMITS): readonly UnpackedFile[] {
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  const size = output.length >= 4 ? view.getUint32(0) : Number.POSITIVE_INFINITY;
  if (4 + size > output.length || size > 256 + limits.files * HEADER_BYTES_PER_FILE) throw failed("its output is cut");
  const header = headerOf(output.subarray(4, 4 + size));
  const files = filesOf(header, output.subarray(4 + size), limits);
  checkCollisions(files.map((file) => file.path));
  return files;
}

function filesOf(list: readonly Json[], contents: Uint8Array, limits: Limits): UnpackedFile[] {
  if (list.length === 0 || list.length > limits.files) throw failed("it lists no files or too many");
  const files: UnpackedFile[] = [];
  let at = 0;
  for (const item of list) {
    const [path, mode, size, ...rest] = Array.isArray(item) ? (item as readonly Json[]) : [];
    if (
      typeof path !== "string" ||
      (mode !== 0o644 && mode !== 0o755) ||
      typeof size !== "number" ||
      !Number.isSafeInteger(size) ||
      size < 0 ||
      rest.length > 0
    )
      throw failed("an entry of its list is not [path, mode, size]");
    checkPath(path, limits.depth);
    const last = files.at(-1);
    if (last !== undefined && byBytes(last.path, path) >= 0) throw failed("its list is not sorted");
    if (size > contents.length - at) throw failed("its contents are cut");
    const bytes = contents.subarray(at, at + size);
    files.push({ path, mode, bytes, sha256: asDigest(digestOf(bytes), path) });
    at += size;
  }
  if (at !== contents.length || at > limits.treeBytes) throw failed("something follows its contents");
  return files;
}

function headerOf(bytes: Uint8Array): readonly Json[] {
  const header = parse(bytes);
  if (!isJsonObject(header) || header["v"] !== 1) throw failed("its header is of another form");
  const { refused, files } = header;
  if (isJsonObject(refused)) throw refusal(refused);
  if (!Array.isArray(files) || Object.keys(header).length !== 2) throw failed("its header is of another form");
  return files as readonly Json[];
}

function parse(bytes: Uint8Array): Json {
  try {
    return readCanonical(bytes);
  } catch (err) {
    if (hasCode(err, "CANON_REFUSED")) throw failed("its header is not canonical", err);
    throw err;
  }
}

/** The child's words are ours only for the codes a reader may throw; any other code is a child that was taken over. */
function refusal(refused: Readonly<Record<string, Json>>): MooringError {
  const { code, message, why } = refused;
  if (!isErrorCode(code) || !code.startsWith("BUNDLE_") || typeof message !== "string" || typeof why !== "string")
    return failed("its refusal is of another form");
  return new MooringError(code, message.slice(0, 400), { why: why.slice(0, 400) });
}

function framed(header: Json, contents: readonly Uint8Array[]): Uint8Array {
  const bytes = canonBytes(header);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return new Uint8Array(Buffer.concat([size, bytes, ...contents]));
}

function failed(why: string, cause?: unknown): MooringError {
  return new MooringError("UNPACK_FAILED", "the unpacking child", { why, cause });
}
