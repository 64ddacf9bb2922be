import { canon, type Digest, digestOf, isDigest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** One file of a bundle: path, permission bits as an integer, size in bytes, digest of its content. */
export type TreeFile = readonly [path: string, mode: number, size: number, sha256: Digest];

/** Digest of a bundle's files in any order (WIRE §3.6): sorted by the bytes of the path. A path twice, or a field of another form, throws
 *  TREE_INVALID. */
export function treeDigest(files: readonly TreeFile[]): Digest {
  const rows = files.map((file) => ({ file: checked(file), bytes: Buffer.from(file[0]) })).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  let text = "";
  for (let i = 0; i < rows.length; i++) {
    if (i > 0 && rows[i]!.bytes.equals(rows[i - 1]!.bytes)) throw invalid("a path comes twice");
    text += `${canon(rows[i]!.file)}\n`;
  }
  return digestOf("\u0003mooring/tree/v1\n", text);
}

function checked(file: TreeFile): TreeFile {
  const [path, mode, size, sha256] = file;
  if (typeof path !== "string" || path === "" || !path.isWellFormed()) throw invalid("a path that is no text");
  if (!isCount(mode) || !isCount(size) || !isDigest(sha256) || file.length !== 4) throw invalid("a mode, size or digest of another form");
  return file;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(why: string): MooringError {
  return new MooringError("TREE_INVALID", "the file list of a bundle", { why });
}
