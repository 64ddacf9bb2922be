import { randomBytes } from "node:crypto";
import { close as closeCb, fsync as fsyncCb, open as openCb } from "node:fs";
import { mkdir, open, readFile, rename, symlink, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { faultPoint } from "./fault.ts";

const openFd = promisify(openCb);
const fsyncFd = promisify(fsyncCb);
const closeFd = promisify(closeCb);

/** Replaces `path` by `bytes` so that a crash at any instant leaves the old or the new content, whole: temporary name beside it, write,
 *  fsync, rename, fsync of the folder. A failure (a full disk) leaves the old content and nothing else. `mode` defaults to 0600. */
export async function writeDurable(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  const temp = tempBeside(path);
  faultPoint(`open ${path}`);
  const file = await open(temp, "wx", mode);
  try {
    try {
      await file.chmod(mode); // the umask may have narrowed it
      await file.writeFile(bytes);
      faultPoint(`fsync ${path}`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await renameDurable(temp, path);
  } catch (err) {
    await removeIfThere(temp); // half a file helps nobody, least of all a full disk
    throw err;
  }
}

/** Renames and makes the rename durable. Both names MUST be in one file system. */
export async function renameDurable(from: string, to: string): Promise<void> {
  faultPoint(`rename ${to}`);
  await rename(from, to);
  faultPoint(`fsync folder of ${to}`);
  await syncFolder(dirname(to));
}

/** Points the symbolic link `path` at `target` in one atomic step, durable when it returns. */
export async function linkDurable(path: string, target: string): Promise<void> {
  const temp = tempBeside(path);
  await symlink(target, temp);
  await renameDurable(temp, path);
}

/** Makes the names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const fd = await openFd(folder, "r");
  try {
    await fsyncFd(fd);
  } finally {
    await closeFd(fd);
  }
}

export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode });
}

/** The bytes of `path`, or null when there is no such file; other errors are thrown. */
export async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}

export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (err) {
    if (!isErrno(err, "ENOENT")) throw err;
  }
}

/** Whether `err` is the operating system's error `code`. */
export function isErrno(err: unknown, code: string): boolean {
  return err instanceof Error && (err as NodeJS.ErrnoException).code === code;
}

function tempBeside(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}
