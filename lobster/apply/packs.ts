import { type Digest, digestBytes, digestFrom } from "#base/canonical/index.ts";
import { faultPoint, isErrno, makeFolder, removeIfThere } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Packs on their way in: resumable, by digest, at most `keep` at once (the oldest goes), each at most `maxBytes`. */
export type PackSpool = {
  readonly maxBytes: number;
  /** Bytes already here; the whole size once it was complete and taken in. */
  readonly offset: (digest: Digest) => Promise<number>;
  /** Appends `body` at `offset`. When all of it came, the pack MUST be complete, with the right digest. Throws OFFSET_OTHER (`have`) at another
   *  offset and while `keep` packs are on their way, PACK_CORRUPT (and forgets the bytes) for another digest. What came before a cut stays for the
   *  next try. */
  readonly receive: (digest: Digest, offset: number, body: () => AsyncIterable<Uint8Array>) => Promise<void>;
  /** Bytes of a pack that came whole: the only time it is in memory. */
  readonly read: (digest: Digest) => Promise<Uint8Array>;
  /** The pack was taken in: its bytes go, its size is remembered for a peer that asks again. */
  readonly done: (digest: Digest) => Promise<void>;
  readonly drop: (digest: Digest) => Promise<void>;
  readonly isDone: (digest: Digest) => boolean;
};

export async function openPackSpool(folder: string, maxBytes: number, keep = 4): Promise<PackSpool> {
  await makeFolder(folder);
  const done = new Map<Digest, number>();
  const busy = new Set<Digest>();
  const pathOf = (digest: Digest): string => join(folder, `${Buffer.from(digestBytes(digest)).toString("hex")}.part`);
  const sizeOf = async (digest: Digest): Promise<number> => {
    try {
      return (await stat(pathOf(digest))).size;
    } catch (err) {
      if (isErrno(err, "ENOENT")) return 0;
      throw err;
    }
  };
  const append = async (digest: Digest, body: AsyncIterable<Uint8Array>): Promise<void> => {
    const file = await open(pathOf(digest), "a", 0o600);
    try {
      for await (const part of body) {
        faultPoint("append pack");
        await file.appendFile(part);
      }
    } finally {
      await file.close();
    }
  };
  const receive = async (digest: Digest, offset: number, body: () => AsyncIterable<Uint8Array>): Promise<void> => {
    const have = await sizeOf(digest);
    if (have !== offset) throw new MooringError("OFFSET_OTHER", "the pack continues elsewhere", { have });
    if (have === 0) await makeRoom(folder, keep);
    await append(digest, body());
    if ((await digestOfFile(pathOf(digest))) === digest) return;
    await removeIfThere(pathOf(digest));
    throw new MooringError("PACK_CORRUPT", "the pack's bytes have another digest");
  };
  return {
    maxBytes,
    offset: async (digest) => done.get(digest) ?? (await sizeOf(digest)),
    isDone: (digest) => done.has(digest),
    receive: async (digest, offset, body) => {
      if (busy.has(digest) || busy.size >= keep)
        throw new MooringError("OFFSET_OTHER", "this pack, or too many others, are being sent on other channels", {
          have: await sizeOf(digest),
        });
      busy.add(digest);
      try {
        return await receive(digest, offset, body);
      } finally {
        busy.delete(digest);
      }
    },
    read: (digest) => readFile(pathOf(digest)),
    done: async (digest) => {
      done.set(digest, await sizeOf(digest));
      if (done.size > 64) done.delete([...done.keys()][0] as Digest);
      await removeIfThere(pathOf(digest));
    },
    drop: (digest) => removeIfThere(pathOf(digest)),
  };
}

async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Uint8Array);
  return digestFrom(hash.digest());
}

async function makeRoom(folder: string, keep: number): Promise<void> {
  const parts = await Promise.all(
    (await readdir(folder)).map(async (name) => ({ path: join(folder, name), at: (await stat(join(folder, name))).mtimeMs })),
  );
  const oldest = parts.sort((a, b) => b.at - a.at).slice(keep - 1);
  for (const { path } of oldest) await removeIfThere(path);
}
