import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { faultPoint, isErrno, makeFolder, syncFolder, writeDurable } from "#base/durable/index.ts";
import { storing } from "../disk.ts";
import { FileBytes } from "./bytes.ts";
import { writeHead } from "./entry.ts";
import { writeIdx } from "./idx.ts";
import { HEADER, indexPack, type IndexedPack, type Lookup, TRAILER } from "./index-pack.ts";
import { type PackLimits, refusedPack, tooLarge } from "./limits.ts";

const TEMP = /^tmp-(\d+)-[0-9a-f]+\./;

export type ReceiveDeps = { readonly lookup: Lookup; readonly limits: PackLimits; readonly signal: AbortSignal };

/** Takes a pack off the wire into `gitdir`/objects/pack, and gives back how many objects came. Nothing can be seen there before every object was hashed,
 *  and what can be seen stands alone: what a thin pack builds upon is added to it, as git does. A pack without objects leaves no file. Throws
 *  SOURCE_PACK_REFUSED and SOURCE_TOO_LARGE (see indexPack), SOURCE_STORE_FAILED when the disk is full, and what `chunks` throws; then nothing is left. */
export async function receivePack(chunks: AsyncIterable<Uint8Array>, gitdir: string, deps: ReceiveDeps): Promise<number> {
  const folder = join(gitdir, "objects/pack");
  const temp = join(folder, `tmp-${process.pid}-${randomBytes(6).toString("hex")}.pack`);
  try {
    return await storing(gitdir, async () => {
      await makeFolder(folder, 0o755);
      faultPoint(`open ${temp}`);
      const file = await open(temp, "wx+", 0o444);
      try {
        return await receiveInto(file, temp, folder, chunks, deps);
      } finally {
        await file.close();
      }
    });
  } finally {
    await rm(temp, { force: true });
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
  const pack = await indexPack(new FileBytes(temp, size), lookup, limits, signal);
  if (pack.table.size === 0) return 0;
  const came = pack.table.size;
  const sum = await complete(file, size, pack, lookup);
  faultPoint(`fsync ${temp}`);
  await file.datasync();
  const name = join(folder, `pack-${sum.toString("hex")}`);
  faultPoint(`rename ${name}.pack`);
  await rename(temp, `${name}.pack`);
  await writeDurable(`${name}.idx`, writeIdx(pack.table, sum), 0o444); // readers go by the index: from here on they see the pack
  await syncFolder(folder);
  return came;
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

/** Removes what processes that are gone left of packs they were receiving. */
export async function sweepTemps(gitdir: string): Promise<void> {
  const folder = join(gitdir, "objects/pack");
  for (const name of await readdir(folder)) {
    const pid = Number(TEMP.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isAlive(pid)) await rm(join(folder, name), { force: true });
  }
}

/** Whether a process of this number runs; one that isn't ours counts as well. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return !isErrno(err, "ESRCH");
  }
}
