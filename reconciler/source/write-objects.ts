import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { makeFolder, writeDurable } from "#base/durable/index.ts";
import type { Fresh } from "./build.ts";
import { exists } from "./exists.ts";
import { hashObject, type Oid } from "./objects.ts";

const deflateAsync = promisify(deflate);

/** Writes objects as loose files of `gitdir`; see writeObject. */
export async function writeLoose(gitdir: string, fresh: Fresh): Promise<void> {
  for (const { type, bytes } of fresh.values()) await writeObject(gitdir, type, bytes);
}

/** Writes an object as a loose file, whole or not at all, and gives back its id; what is there already is left. */
export async function writeObject(gitdir: string, type: "blob" | "tree" | "commit", bytes: Uint8Array): Promise<Oid> {
  const oid = hashObject(type, bytes);
  const folder = join(gitdir, "objects", oid.slice(0, 2));
  const path = join(folder, oid.slice(2));
  if (await exists(path)) return oid;
  await makeFolder(folder, 0o755);
  await writeDurable(path, await deflateAsync(Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])), 0o444);
  return oid;
}

const TYPES = { commit: 1, tree: 2, blob: 3 } as const;

/** A pack of these objects, each whole (gitformat-pack, version 2). */
export async function packOf(fresh: Fresh): Promise<Uint8Array> {
  const head = Buffer.alloc(12);
  head.write("PACK", "latin1");
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(fresh.size, 8);
  const parts: Uint8Array[] = [head];
  for (const { type, bytes } of fresh.values()) parts.push(entryHead(TYPES[type], bytes.length), await deflateAsync(bytes));
  const body = Buffer.concat(parts);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

/** Type and size: four bits of the size in the first byte, seven in each that follows. */
function entryHead(type: number, size: number): Uint8Array {
  const bytes: number[] = [];
  let first = (type << 4) | (size & 15);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(first | 128);
    first = rest & 127;
  }
  return Uint8Array.of(...bytes, first);
}
