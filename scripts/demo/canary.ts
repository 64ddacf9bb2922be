import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Where a value was found. */
export type Hit = { readonly where: string; readonly form: string };

/** What a search covered. */
export type Searched = { readonly processes: number; readonly files: number; readonly objects: number };

/** Looks for a value, as text, hexadecimal, UTF-16 and base64 at each of the three offsets, in the environment and arguments of every process we may
 *  read, in all files under `root` (gzip archives also unpacked) and in every object of the git repositories there. */
export function searchFor(value: string, root: string): { readonly hits: readonly Hit[]; readonly searched: Searched } {
  const needles = formsOf(value);
  const hits: Hit[] = [];
  const look = (bytes: Buffer, where: string): void => {
    for (const [form, needle] of needles) if (bytes.includes(needle)) hits.push({ where, form });
  };
  const processes = searchProcesses(look);
  const files = searchFiles(root, look);
  const objects = gitFolders(root).reduce((sum, folder) => sum + searchObjects(folder, look), 0);
  return { hits, searched: { processes, files, objects } };
}

type Look = (bytes: Buffer, where: string) => void;

/** Each form a value might take on its way through a log, a document or a dump. Pure. */
export function formsOf(value: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(value);
  const utf16 = Buffer.from(value, "utf16le");
  return new Map([
    ["text", bytes],
    ["hex", Buffer.from(bytes.toString("hex"))],
    ["HEX", Buffer.from(bytes.toString("hex").toUpperCase())],
    ["utf16le", utf16],
    ["utf16be", Buffer.from(utf16).swap16()],
    ...[0, 1, 2].flatMap((offset) => {
      const middle = middleOfBase64(bytes, offset);
      const url = middle.replaceAll("+", "-").replaceAll("/", "_");
      return [[`base64+${offset}`, Buffer.from(middle)] as const, [`base64url+${offset}`, Buffer.from(url)] as const];
    }),
  ]);
}

/** The part of the value's base64 that does not depend on its neighbours when `offset` bytes stand before it. */
function middleOfBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const skip = offset === 0 ? 0 : 4;
  const whole = Math.floor((offset + bytes.length) / 3) * 4;
  return text.slice(skip, whole);
}

function searchProcesses(look: Look): number {
  let count = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parts = ["environ", "cmdline"].map((what) => readOrNull(`/proc/${pid}/${what}`));
    for (const [i, bytes] of parts.entries()) if (bytes !== null) look(bytes, `process ${pid}, ${i === 0 ? "environment" : "arguments"}`);
    if (parts.every((bytes) => bytes !== null)) count += 1;
  }
  return count;
}

function searchFiles(root: string, look: Look): number {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  let count = 0;
  for (const path of paths) {
    const bytes = readOrNull(path);
    if (bytes === null) continue; // it went away meanwhile
    count += 1;
    look(bytes, path);
    for (const inner of unpacked(bytes)) look(inner, `${path} (unpacked)`);
  }
  return count;
}

function unpacked(bytes: Buffer): readonly Buffer[] {
  try {
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? [gunzipSync(bytes)] : [];
  } catch {
    return []; // it only begins like one
  }
}

function gitFolders(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === "HEAD" && !entry.parentPath.includes("/logs"))
    .map((entry) => entry.parentPath)
    .filter((folder) => readdirSync(folder).includes("objects"));
}

/** Every object, inflated; whether a ref still leads to it or not. */
function searchObjects(gitdir: string, look: Look): number {
  const bytes = execFileSync("git", ["--git-dir", gitdir, "cat-file", "--batch-all-objects", "--batch", "--unordered"], {
    maxBuffer: 1 << 30,
    env: {
      PATH: process.env["PATH"],
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      GIT_CONFIG_NOSYSTEM: "1",
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  look(bytes, `objects of ${gitdir}`);
  return bytes.toString("latin1").split(/^[0-9a-f]{40} (?:blob|tree|commit|tag) \d+$/m).length - 1;
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null; // gone, or not ours to read
  }
}
