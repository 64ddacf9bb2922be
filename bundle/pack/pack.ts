import { type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type TreeFile, treeDigest } from "#proof/root/index.ts";
import { gzip } from "../gzip.ts";
import { LIMITS } from "../limits.ts";
import { byBytes } from "../paths.ts";
import { readBundle } from "../read/index.ts";
import { type TarFile, writeTar } from "../tar.ts";
import { readFolder } from "./folder.ts";
import { manifestOf, type PluginManifest } from "./manifest.ts";

/** A plugin as one archive. `digest` is of the .tgz, `tree` of the list of files (WIRE §3.6), which a review compares. */
export type Packed = {
  readonly tgz: Uint8Array;
  readonly digest: Digest;
  readonly tree: Digest;
  readonly files: readonly TreeFile[];
  readonly manifest: PluginManifest;
};

/** Packs the folder `dir`; equal content and execute bits give equal bytes, whatever times, owners or order the folder has. Throws what
 *  `readFolder` and `packFiles` throw. */
export function packPlugin(dir: string): Packed {
  return packFiles(readFolder(dir));
}

/** The pure half of `packPlugin`. Throws PLUGIN_MANIFEST_INVALID, PLUGIN_SCRIPTS_REFUSED, BUNDLE_PATH_REFUSED, BUNDLE_TOO_LARGE. */
export function packFiles(files: readonly TarFile[]): Packed {
  return describe(gzip(writeTar(files)), files);
}

/** An archive that exists already, read by the strict reader. The same rules hold as for a new one. */
export function packedFrom(tgz: Uint8Array): Packed {
  return describe(tgz, readBundle(tgz));
}

function describe(tgz: Uint8Array, files: readonly TarFile[]): Packed {
  const manifest = manifestOf(files);
  if (tgz.length > LIMITS.archiveBytes)
    throw new MooringError("BUNDLE_TOO_LARGE", `plugin ${manifest.id}`, { why: `its archive has more than ${LIMITS.archiveBytes} bytes` });
  const list = treeFiles(files);
  return { tgz, digest: digestOf(tgz), tree: treeDigest(list), files: list, manifest };
}

/** The signed form of a list of files: sorted, each with its hash. Pure. */
export function treeFiles(files: readonly TarFile[]): readonly TreeFile[] {
  return files
    .toSorted((a, b) => byBytes(a.path, b.path))
    .map((file): TreeFile => [file.path, file.mode, file.bytes.length, digestOf(file.bytes)]);
}
