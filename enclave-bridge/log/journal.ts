import { type FileHandle, open } from "node:fs/promises";
import { sha256 } from "#base/canonical/index.ts";
import { faultPoint, readIfThere, writeDurable } from "#base/durable/index.ts";
import { framed, unframed } from "#base/frames/index.ts";

const MAGIC = "mooring/journal/v1";

/** One batch: the checkpoint signed over the tree with it, and its entries. */
export type Batch = { readonly note: Uint8Array; readonly entries: readonly Uint8Array[] };

/** All entries from `base` (a multiple of 256) on, in batches. `torn` = bytes after the last whole batch, which nobody was promised. */
export type JournalText = { readonly base: number; readonly batches: readonly Batch[]; readonly torn: boolean };

/** What `path` holds; null when there is no journal, "damaged" when not even its head can be read. */
export async function readJournal(path: string): Promise<JournalText | null | "damaged"> {
  const bytes = await readIfThere(path);
  if (bytes === null) return null;
  const { records, torn } = splitRecords(bytes);
  const [magic, base] = unframedOrNone(records[0]);
  if (records.length === 0 || text(magic) !== MAGIC || !/^\d{1,15}$/.test(text(base))) return "damaged";
  const batches = records.slice(1).map((record) => {
    const [note = new Uint8Array(), ...entries] = unframedOrNone(record);
    return { note, entries };
  });
  return { base: Number(text(base)), batches, torn };
}

/** Puts a journal with one batch (or none) in the place of the old one, durably. */
export async function writeJournal(path: string, base: number, batch: Batch | null): Promise<void> {
  const head = record(framed(bytesOf(MAGIC), bytesOf(String(base))));
  await writeDurable(path, Buffer.concat(batch === null ? [head] : [head, encode(batch)]));
}

/** Appends to an open journal; durable when it returns. After it threw, the file MUST be written anew: what reached the disk is unknown. */
export class JournalFile {
  readonly #file: FileHandle;
  #end: number;

  private constructor(file: FileHandle, end: number) {
    this.#file = file;
    this.#end = end;
  }

  static async open(path: string): Promise<JournalFile> {
    const file = await open(path, "r+");
    return new JournalFile(file, (await file.stat()).size);
  }

  async append(batch: Batch): Promise<void> {
    const bytes = encode(batch);
    faultPoint("journal write");
    let done = 0;
    while (done < bytes.length) done += (await this.#file.write(bytes, done, bytes.length - done, this.#end + done)).bytesWritten;
    faultPoint("journal datasync");
    await this.#file.datasync();
    this.#end += bytes.length;
    faultPoint("journal durable");
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function encode(batch: Batch): Uint8Array {
  return record(framed(batch.note, ...batch.entries));
}

/** u32 length ‖ SHA-256 ‖ payload: a write cut short is told from a whole one. */
function record(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(36 + payload.length);
  new DataView(out.buffer).setUint32(0, payload.length);
  out.set(sha256(payload), 4);
  out.set(payload, 36);
  return out;
}

function splitRecords(bytes: Uint8Array): { readonly records: readonly Uint8Array[]; readonly torn: boolean } {
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 36 <= bytes.length) {
    const payload = bytes.subarray(at + 36, at + 36 + view.getUint32(at));
    if (Buffer.compare(sha256(payload), bytes.subarray(at + 4, at + 36)) !== 0 || payload.length !== view.getUint32(at)) break;
    records.push(payload);
    at += 36 + payload.length;
  }
  return { records, torn: at < bytes.length };
}

function unframedOrNone(record: Uint8Array | undefined): Uint8Array[] {
  return record === undefined ? [] : unframed(record);
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function bytesOf(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
