import { canonBytes, type Digest, digestBytes, digestOf, readCanonical } from "#base/canonical/index.ts";
import { faultPoint, isErrno, makeFolder, readIfThere, removeIfThere, syncFolder, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { HeldBundle } from "#lobster/contract.ts";
import { counter, digest } from "#schemas/wire/index.ts";
import { constants } from "node:fs";
import { chmod, copyFile, open, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { diskMode, FOLDER_MODE } from "./mode.ts";

/** Bytes of a verified file that are kept under their own digest. */
export type FileSource = (path: string) => Promise<Uint8Array>;

/** Verified bundles, file by file under their SHA-256. A blob is hashed again whenever it is used, and one that rotted is dropped, so the bundle
 *  counts as missing and is asked for again. */
export type ContentStore = {
  /** The record of `bundle` if all its blobs are here and whole, else null. Reads every byte. */
  readonly intact: (bundle: Digest) => Promise<HeldBundle | null>;
  /** The record of `bundle`, without a look at its blobs. */
  readonly record: (bundle: Digest) => Promise<HeldBundle | null>;
  /** Stores a verified bundle: blobs first, the record last, so a record is there only when all blobs are. `file` gives the bytes of a path;
   *  they are hashed against the list here again. `signature` is the sigstore bundle, kept for later proof. */
  readonly put: (held: HeldBundle, file: FileSource, signature: Uint8Array) => Promise<void>;
  /** The sigstore bundle that came with `bundle`, null when it is not kept. */
  readonly signature: (bundle: Digest) => Promise<Uint8Array | null>;
  /** Bytes of one blob, hashed. Throws CONTENT_CORRUPT. */
  readonly read: (sha256: Digest) => Promise<Uint8Array>;
  /** Makes the tree of `held` in the new folder `target`: copies or clones, never hard links, each hashed after the copy and synced. */
  readonly materialise: (held: HeldBundle, target: string) => Promise<void>;
  /** Writes one file of a tree anew, atomically. */
  readonly restore: (file: HeldBundle["files"][number], target: string) => Promise<void>;
  /** Drops every bundle that is not in `keep`, and blobs that no kept one needs. */
  readonly gc: (keep: ReadonlySet<Digest>) => Promise<void>;
};

const heldRecord = z.strictObject({
  bundle: digest,
  tree: digest,
  main: z.string(),
  files: z.array(z.tuple([z.string(), counter, counter, digest])),
});

export async function openContentStore(folder: string): Promise<ContentStore> {
  const places = { blobs: join(folder, "blobs"), bundles: join(folder, "bundles") };
  await makeFolder(places.blobs);
  await makeFolder(places.bundles);
  const blobPath = (sha256: Digest): string => join(places.blobs, hex(sha256));
  const recordPath = (bundle: Digest): string => join(places.bundles, `${hex(bundle)}.json`);
  const signaturePath = (bundle: Digest): string => join(places.bundles, `${hex(bundle)}.sigstore.json`);

  const read = async (sha256: Digest): Promise<Uint8Array> => {
    const bytes = await readIfThere(blobPath(sha256));
    if (bytes !== null && digestOf(bytes) === sha256) return bytes;
    if (bytes !== null) await removeIfThere(blobPath(sha256));
    throw new MooringError("CONTENT_CORRUPT", `a kept file (${sha256.slice(0, 19)}…) is ${bytes === null ? "missing" : "changed"}`);
  };
  const record = async (bundle: Digest): Promise<HeldBundle | null> => {
    const bytes = await readIfThere(recordPath(bundle));
    return bytes === null ? null : z.parse(heldRecord, readCanonical(bytes));
  };
  const intact = async (bundle: Digest): Promise<HeldBundle | null> => {
    const held = await record(bundle);
    if (held === null) return null;
    try {
      for (const [, , , sha256] of held.files) await read(sha256);
      return held;
    } catch (err) {
      if (err instanceof MooringError && err.code === "CONTENT_CORRUPT") return null;
      throw err;
    }
  };
  const put = async (held: HeldBundle, file: FileSource, signature: Uint8Array): Promise<void> => {
    for (const [path, , , sha256] of held.files) {
      const bytes = await file(path);
      if (digestOf(bytes) !== sha256) throw new MooringError("CONTENT_CORRUPT", `${path}: other bytes than the signed list says`);
      await writeDurable(blobPath(sha256), bytes, 0o400);
    }
    await writeDurable(signaturePath(held.bundle), signature, 0o400);
    await writeDurable(recordPath(held.bundle), canonBytes(held), 0o400);
  };
  const materialise = async (held: HeldBundle, target: string): Promise<void> => {
    const folders = new Set([target]);
    await makeOpenFolder(target);
    for (const [path, mode, , sha256] of held.files) {
      const to = join(target, path);
      for (let up = dirname(to); !folders.has(up); up = dirname(up)) folders.add(up);
      await makeOpenFolder(dirname(to));
      await cloneChecked(blobPath(sha256), to, sha256, diskMode(mode));
    }
    for (const each of folders) {
      await chmod(each, FOLDER_MODE); // the umask may have narrowed it
      faultPoint(`fsync folder ${each}`);
      await syncFolder(each);
    }
  };
  const gc = async (keep: ReadonlySet<Digest>): Promise<void> => {
    const blobs = new Set<string>();
    const names = new Set<string>();
    for (const bundle of keep) {
      names.add(`${hex(bundle)}.json`).add(`${hex(bundle)}.sigstore.json`);
      for (const [, , , sha256] of (await record(bundle))?.files ?? []) blobs.add(hex(sha256));
    }
    for (const name of await readdir(places.bundles)) if (!names.has(name)) await dropFile(join(places.bundles, name));
    for (const name of await readdir(places.blobs)) if (!blobs.has(name)) await dropFile(join(places.blobs, name));
  };
  return {
    signature: (bundle) => readIfThere(signaturePath(bundle)),
    intact,
    record,
    put,
    read,
    materialise,
    gc,
    restore: async ([, mode, , sha256], target) => writeDurable(target, await read(sha256), diskMode(mode)),
  };
}

async function cloneChecked(from: string, to: string, sha256: Digest, mode: number): Promise<void> {
  faultPoint(`clone ${to}`);
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) throw new MooringError("CONTENT_CORRUPT", `a kept file (${sha256.slice(0, 19)}…) is missing`, { cause });
    throw cause;
  }
  await chmod(to, mode);
  if (digestOf(await readFile(to)) !== sha256) {
    await removeIfThere(from);
    throw new MooringError("CONTENT_CORRUPT", `a kept file (${sha256.slice(0, 19)}…) is changed`);
  }
  const file = await open(to, "r");
  try {
    faultPoint(`fsync ${to}`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function makeOpenFolder(path: string): Promise<void> {
  await makeFolder(path, FOLDER_MODE);
}

async function dropFile(path: string): Promise<void> {
  faultPoint(`remove ${path}`);
  await removeIfThere(path);
}

function hex(digest: Digest): string {
  return Buffer.from(digestBytes(digest)).toString("hex");
}
