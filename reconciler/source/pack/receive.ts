import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { faultPoint, makeFolder, syncFolder } from "#base/durable/index.ts";
import { storing } from "../disk.ts";
import { ownName } from "../store/leftovers.ts";
import { FileBytes } from "./bytes.ts";
import { writeHead } from "./entry.ts";
import { writeIdx } from "./idx.ts";
import { HEADER, indexPack, type IndexedPack, type Lookup, TRAILER } from "./index-pack.ts";
import { type PackLimits, refusedPack, tooLarge } from "./limits.ts";

export type ReceiveDeps = { readonly lookup: Lookup; readonly limits: PackLimits; readonly signal: AbortSignal };

/** Takes a pack off the wire into `gitdir`/objects/pack, and gives back how many objects came. Nothing can be seen there before every object was hashed,
 *  and what can be seen stands alone: what a thin pack builds upon is added to it, as git does. A pack without objects leaves no file. Throws
 *  SOURCE_PACK_REFUSED and SOURCE_TOO_LARGE (see indexPack), SOURCE_STORE_FAILED when the disk is full, and what `chunks` throws; then nothing is left. */
export async function receivePack(chunks: AsyncIterable<Uint8Array>, gitdir: string, deps: ReceiveDeps): Promise<number> {
  const folder = join(gitdir, "objects/pack");
  const temp = join(folder, ownName("tmp"));
  try {
    return await storing(gitdir, async () => {
      await makeFolder(folder, 0o755);
      faultPoint(`open ${temp}.pack`);
      const file = await open(`${temp}.pack`, "wx+", 0o444);
      try {
        return await receiveInto(file, temp, folder, chunks, deps);
      } finally {
        await file.close();
      }
    });
  } finally {
    await rm(`${temp}.pack`, { force: true });
    await rm(`${temp}.idx`, { force: true });
  }
}

async function receiveInto(
  file: FileHandle,
  temp: string,
  folder: string,
  chunks: AsyncIterable<Uint8Array>,
  { lookup, limits, signal }: ReceiveDeps,
): Promise<number> {
  const size = await spool(file, chunks, limits, signal);
  const pack = await indexPack(new FileBytes(`${temp}.pack`, size), lookup, limits, signal);
  if (pack.table.size === 0) return 0;
  const came = pack.table.size;
  const sum = await complete(file, size, pack, lookup);
  await sync(file, `${temp}.pack`);
  const idx = await open(`${temp}.idx`, "wx", 0o444);
  try {
    await idx.writeFile(writeIdx(pack.table, sum));
    await sync(idx, `${temp}.idx`);
  } finally {
    await idx.close();
  }
  const name = join(folder, `pack-${sum.toString("hex")}`);
  for (const part of [".pack", ".idx"]) {
    faultPoint(`rename ${name}${part}`);
    await rename(`${temp}${part}`, `${name}${part}`); // readers go by the index: with it they see the pack
  }
  faultPoint(`fsync folder of ${name}`);
  await syncFolder(folder);
  return came;
}

async function sync(file: FileHandle, path: string): Promise<void> {
  faultPoint(`fsync ${path}`);
  await file.datasync();
}

/** Writes what comes to the file; its last 20 bytes must be the SHA-1 of all before. */
async function spool(file: FileHandle, chunks: AsyncIterable<Uint8Array>, limits: PackLimits, signal: AbortSignal): Promise<number> {
  const sum = createHash("sha1");
  let tail = Buffer.alloc(0);
  let size = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    size += chunk.length;
    if (size > limits.packBytes) throw tooLarge(`it has more than ${limits.packBytes} bytes`);
    await file.writeFile(chunk);
    const held = Buffer.concat([tail, chunk]);
    const cut = Math.max(0, held.length - TRAILER);
    sum.update(held.subarray(0, cut));
    tail = Buffer.from(held.subarray(cut));
  }
  if (size < HEADER + TRAILER) throw refusedPack("it ends before it begins");
  if (!sum.digest().equals(tail)) throw refusedPack("its bytes do not give its checksum: something changed on the way");
  return size;
}

/** Appends what the pack borrowed and sets head and trailer right; gives back the trailer. */
async function complete(file: FileHandle, size: number, { table, borrowed }: IndexedPack, lookup: Lookup): Promise<Buffer> {
  if (borrowed.length === 0) return readExactly(file, size - TRAILER, TRAILER);
  let end = size - TRAILER;
  for (const oid of borrowed) {
    const found = lookup(oid);
    if (found === null) throw refusedPack("a delta whose base is neither in it nor here");
    const bytes = Buffer.concat([writeHead(found.type, found.content.length), deflateSync(found.content)]);
    table.add(end, crc32(bytes), found.type, oid, null);
    await file.write(bytes, 0, bytes.length, end);
    end += bytes.length;
  }
  const count = Buffer.alloc(4);
  count.writeUInt32BE(table.size);
  await file.write(count, 0, 4, 8);
  const sum = await sumOf(file, end);
  await file.write(sum, 0, TRAILER, end);
  await file.truncate(end + TRAILER);
  return sum;
}

async function sumOf(file: FileHandle, end: number): Promise<Buffer> {
  const sum = createHash("sha1");
  for (let at = 0; at < end; ) {
    const bytes = await readExactly(file, at, Math.min(1 << 20, end - at));
    sum.update(bytes);
    at += bytes.length;
  }
  return sum.digest();
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead !== length) throw refusedPack("it got shorter while it was checked");
  return bytes;
}
