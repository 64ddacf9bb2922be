import { join } from "node:path";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { makeFolder, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { exists } from "./exists.ts";
import { hashObject, type Objects, type Oid } from "./objects.ts";
import type { TreeItem } from "./parse.ts";

export type Person = { readonly name: string; readonly email: string };

const deflateAsync = promisify(deflate);

/** Writes an object as a loose file, whole or not at all, and gives back its id. */
export async function writeObject(gitdir: string, type: "blob" | "tree" | "commit", bytes: Uint8Array): Promise<Oid> {
  const oid = hashObject(type, bytes);
  const folder = join(gitdir, "objects", oid.slice(0, 2));
  const path = join(folder, oid.slice(2));
  if (await exists(path)) return oid;
  await makeFolder(folder, 0o755);
  await writeDurable(path, await deflateAsync(Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])), 0o444);
  return oid;
}

/** The tree `root` (null = empty) with `files` added; only folders on their paths are written anew. A path that holds other bytes, or a
 *  folder, is SOURCE_PATH_TAKEN; equal bytes are fine. */
export async function addToTree(gitdir: string, objects: Objects, root: Oid | null, files: ReadonlyMap<string, Uint8Array>): Promise<Oid> {
  const top: Level = new Map();
  for (const [path, bytes] of files) place(top, path, bytes);
  return writeLevel(gitdir, objects, root, top, "");
}

type Level = Map<string, Level | Uint8Array>;

function place(top: Level, path: string, bytes: Uint8Array): void {
  const names = path.split("/");
  const last = names.pop() ?? "";
  let level = top;
  for (const name of [...names, last])
    if (!/^[A-Za-z0-9._@+-]+$/.test(name) || /^\.{1,2}$|^\.git$/i.test(name)) throw taken(path, "not a plain path");
  for (const name of names) {
    const next = level.get(name) ?? new Map();
    if (next instanceof Uint8Array) throw taken(path, "a file and a folder of one name");
    level.set(name, next);
    level = next;
  }
  if (level.has(last)) throw taken(path, "a file and a folder of one name");
  level.set(last, bytes);
}

async function writeLevel(gitdir: string, objects: Objects, old: Oid | null, level: Level, prefix: string): Promise<Oid> {
  const items = new Map((old === null ? [] : await objects.tree(old)).map((item) => [item.name, item]));
  for (const [name, added] of level) {
    const path = prefix + name;
    const there = items.get(name);
    if (added instanceof Uint8Array) {
      const oid = hashObject("blob", added);
      if (there !== undefined && there.oid !== oid) throw taken(path, "it is there already with other content");
      if (there === undefined) items.set(name, { name, mode: "100644", oid: await writeObject(gitdir, "blob", added) });
    } else {
      if (there !== undefined && there.mode !== "40000") throw taken(path, "it is a file, not a folder");
      items.set(name, { name, mode: "40000", oid: await writeLevel(gitdir, objects, there?.oid ?? null, added, `${path}/`) });
    }
  }
  return writeObject(gitdir, "tree", treeBytes([...items.values()]));
}

/** Git's order: by bytes, a folder as if its name ended in a slash. */
function treeBytes(items: readonly TreeItem[]): Uint8Array {
  const key = ({ name, mode }: TreeItem): Buffer => Buffer.from(mode === "40000" ? `${name}/` : name);
  const sorted = [...items].sort((a, b) => Buffer.compare(key(a), key(b)));
  return Buffer.concat(sorted.flatMap(({ mode, name, oid }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")]));
}

export type NewCommit = {
  readonly tree: Oid;
  readonly parent: Oid | null;
  readonly author: Person;
  readonly message: string;
  readonly seconds: number;
};

export async function writeCommit(gitdir: string, commit: NewCommit): Promise<Oid> {
  const plain = (text: string): string => text.replace(/[<>\n\0]/g, "").trim();
  const who = `${plain(commit.author.name)} <${plain(commit.author.email)}> ${commit.seconds} +0000`;
  const parent = commit.parent === null ? "" : `parent ${commit.parent}\n`;
  const text = `tree ${commit.tree}\n${parent}author ${who}\ncommitter ${who}\n\n${commit.message.replaceAll("\0", "").trimEnd()}\n`;
  return writeObject(gitdir, "commit", Buffer.from(text));
}

function taken(path: string, why: string): MooringError {
  return new MooringError("SOURCE_PATH_TAKEN", path, { why });
}
