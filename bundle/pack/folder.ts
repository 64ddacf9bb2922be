import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { LIMITS } from "../limits.ts";
import { checkCollisions, checkPath } from "../paths.ts";
import type { TarFile } from "../tar.ts";

/** Left out without a word: version control and what Finder leaves behind. Everything else in the folder is the plugin. */
const SKIPPED = new Set([".git", ".DS_Store"]);
const NATIVE = /\.(node|dylib|so|dll|exe)$/i;

/** Every regular file below `dir`. A file is 755 when its owner may execute it, else 644. Throws BUNDLE_ENTRY_REFUSED for links, devices and
 *  native code, BUNDLE_PATH_REFUSED, BUNDLE_TOO_LARGE, and PLUGIN_FILE_MISSING when `dir` is no folder. */
export function readFolder(dir: string): readonly TarFile[] {
  const files: TarFile[] = [];
  let total = 0;
  const walk = (inside: string): void => {
    for (const entry of listed(join(dir, inside), dir)) {
      if (SKIPPED.has(entry.name)) continue;
      const path = checkPath(inside === "" ? entry.name : `${inside}/${entry.name}`, LIMITS.depth);
      if (entry.isDirectory()) {
        walk(path);
        continue;
      }
      const file = readRegular(dir, path, entry);
      total += file.bytes.length;
      files.push(file);
      if (files.length > LIMITS.files) throw tooLarge(dir, `it has more than ${LIMITS.files} files`);
      if (total > LIMITS.treeBytes) throw tooLarge(dir, `its files have more than ${LIMITS.treeBytes} bytes`);
    }
  };
  walk("");
  checkCollisions(files.map((file) => file.path));
  return files;
}

function readRegular(dir: string, path: string, entry: Dirent): TarFile {
  if (!entry.isFile()) throw refused(path, "it is a link, socket or device, and a plugin has regular files only");
  if (NATIVE.test(path)) throw refused(path, "it is native code, which no review can read");
  const whole = join(dir, path);
  const stat = lstatSync(whole);
  if (stat.size > LIMITS.treeBytes) throw tooLarge(path, `it has more than ${LIMITS.treeBytes} bytes`);
  return { path, mode: (stat.mode & 0o100) === 0 ? 0o644 : 0o755, bytes: new Uint8Array(readFileSync(whole)) };
}

function listed(folder: string, dir: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    if (isErrno(cause, "ENOENT") || isErrno(cause, "ENOTDIR"))
      throw new MooringError("PLUGIN_FILE_MISSING", `plugin folder ${dir}`, { why: "there is no such folder", cause });
    throw cause;
  }
}

function refused(path: string, why: string): MooringError {
  return new MooringError("BUNDLE_ENTRY_REFUSED", `file ${JSON.stringify(path)}`, { why });
}

function tooLarge(where: string, why: string): MooringError {
  return new MooringError("BUNDLE_TOO_LARGE", where, { why });
}
