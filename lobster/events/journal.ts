import { MooringError } from "#base/errors/index.ts";
import { faultPoint, makeFolder, readIfThere, removeIfThere, writeDurable } from "#base/durable/index.ts";
import { type Clock, timeOf } from "#base/time/index.ts";
import { type AgentEvent, counter } from "#schemas/wire/index.ts";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";

export type EventKind = AgentEvent["kind"];
export type EventData = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Events of this machine in the order they happened; each is durable before anybody is told. */
export type Journal = {
  /** Random id of this journal; a new one after a wipe. */
  readonly stream: string;
  /** First and last seq kept; first = last + 1 when everything was acked. */
  readonly range: () => { readonly first: number; readonly last: number };
  /** Appends one event durably and tells the listeners. Over the cap the oldest unacked half goes, and one `gap {from, to}` event says so. */
  readonly append: (kind: EventKind, data: EventData) => Promise<void>;
  /** Line of one event as it stands in the file (JSON without line feed), read from the file; null when it is not kept any more. */
  readonly read: (seq: number) => Promise<string | null>;
  /** Forgets events up to `seq`; a lower one than before changes nothing. Throws EVENTS_STREAM_OTHER or EVENTS_SEQ_UNKNOWN. */
  readonly ack: (stream: string, seq: number) => Promise<void>;
  readonly onAppend: (listener: () => void) => () => void;
  readonly close: () => Promise<void>;
};

const meta = z.strictObject({ stream: z.string(), first: counter, next: counter });
const line = z.object({ seq: counter });
type Spot = { readonly at: number; readonly size: number };

export const JOURNAL_CAP_BYTES = 16 * 1024 * 1024; // WIRE §2
const REWRITE_AT_BYTES = 1024 * 1024; // acked bytes before the file is written anew: one rewrite a MiB keeps acks cheap

/** Opens or makes the journal in `folder`. A half-written last line (power cut) was never told to anybody and is cut off. */
export async function openJournal(folder: string, now: Clock, randomId: () => string, capBytes = JOURNAL_CAP_BYTES): Promise<Journal> {
  await makeFolder(folder);
  const files = { meta: join(folder, "meta.json"), lines: join(folder, "events.ndjson") };
  const stored = await readIfThere(files.meta);
  const head = stored === null ? { stream: randomId(), first: 1, next: 1 } : z.parse(meta, JSON.parse(text(stored)));
  if (stored === null) {
    await removeIfThere(files.lines);
    await writeDurable(files.meta, JSON.stringify(head));
  }
  const { spots, lastSeq, size } = index((await readIfThere(files.lines)) ?? new Uint8Array(), head.first);
  let file = await open(files.lines, "a+", 0o600);
  await file.truncate(size);
  let end = size;
  let first = head.first;
  let next = Math.max(head.next, lastSeq + 1);
  if (spots.size === 0) first = next;
  const listeners = new Set<() => void>();
  let lane: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = lane.then(work);
    lane = turn.catch(() => null); // the caller gets the error
    return turn;
  };

  const write = async (kind: EventKind, data: EventData): Promise<void> => {
    const event: AgentEvent = { stream: head.stream, seq: next, at: timeOf(now()), kind, data };
    const bytes = new TextEncoder().encode(`${JSON.stringify(event)}\n`);
    faultPoint(`append event ${kind}`);
    await file.appendFile(bytes);
    faultPoint(`fdatasync event ${kind}`);
    await file.datasync();
    spots.set(next, { at: end, size: bytes.length - 1 });
    end += bytes.length;
    next += 1;
  };
  const forget = (upTo: number): void => {
    for (let seq = first; seq <= upTo; seq++) spots.delete(seq);
    first = Math.max(first, upTo + 1);
  };
  /** Writes the file anew without what is forgotten. */
  const rewrite = async (): Promise<void> => {
    const start = spots.get(first)?.at ?? end;
    const kept = await readRange(file, start, end - start);
    await writeDurable(files.meta, JSON.stringify({ stream: head.stream, first, next }));
    await writeDurable(files.lines, kept);
    await file.close();
    file = await open(files.lines, "a+", 0o600);
    for (const [seq, spot] of spots) spots.set(seq, { at: spot.at - start, size: spot.size });
    end -= start;
  };
  const append = async (kind: EventKind, data: EventData): Promise<void> => {
    await write(kind, data);
    if (end - (spots.get(first)?.at ?? end) > capBytes) {
      const from = first;
      forget(first + Math.floor((next - first) / 2));
      await rewrite();
      await write("gap", { from, to: first - 1 });
    }
    for (const tell of listeners) tell();
  };
  const ack = async (stream: string, seq: number): Promise<void> => {
    if (stream !== head.stream) throw new MooringError("EVENTS_STREAM_OTHER", "the ack names another event stream", { have: head.stream });
    if (seq >= next) throw new MooringError("EVENTS_SEQ_UNKNOWN", `event ${seq} does not exist`, { have: next - 1 });
    if (seq < first) return;
    forget(seq);
    await writeDurable(files.meta, JSON.stringify({ stream: head.stream, first, next }));
    if ((spots.get(first)?.at ?? end) > REWRITE_AT_BYTES) await rewrite();
  };
  return {
    stream: head.stream,
    range: () => ({ first, last: next - 1 }),
    append: (kind, data) => inTurn(() => append(kind, data)),
    ack: (stream, seq) => inTurn(() => ack(stream, seq)),
    read: (seq) =>
      inTurn(async () => {
        const spot = spots.get(seq);
        return spot === undefined ? null : text(await readRange(file, spot.at, spot.size));
      }),
    onAppend: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => inTurn(() => file.close()),
  };
}

/** Where each whole line stands. Lines below `first` are acked ones that a rewrite has not dropped yet. */
function index(bytes: Uint8Array, first: number): { readonly spots: Map<number, Spot>; readonly lastSeq: number; readonly size: number } {
  const spots = new Map<number, Spot>();
  let at = 0;
  let lastSeq = 0;
  for (let end = bytes.indexOf(10, at); end !== -1; end = bytes.indexOf(10, at)) {
    lastSeq = z.parse(line, JSON.parse(text(bytes.subarray(at, end)))).seq;
    if (lastSeq >= first) spots.set(lastSeq, { at, size: end - at });
    at = end + 1;
  }
  return { spots, lastSeq, size: at };
}

async function readRange(file: FileHandle, at: number, size: number): Promise<Uint8Array> {
  const out = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    const { bytesRead } = await file.read(out, done, size - done, at + done);
    if (bytesRead === 0) throw new Error("the journal file is shorter than its index");
    done += bytesRead;
  }
  return out;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
