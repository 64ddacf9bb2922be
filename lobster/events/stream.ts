import type { Hello } from "#schemas/wire/index.ts";
import { sleep } from "#base/time/index.ts";
import type { ServerResponse } from "node:http";
import type { Journal } from "./journal.ts";

export type LiveHead = { readonly root: string; readonly generation: number; readonly observedGeneration: number };

export type StreamSource = {
  readonly journal: Journal;
  readonly hello: () => Hello;
  readonly head: () => LiveHead;
  readonly onHead: (listener: () => void) => () => void;
  readonly now: () => string;
};

export type StreamTimes = { readonly beatMs: number; readonly stallMs: number };
export const STREAM_TIMES: StreamTimes = { beatMs: 15_000, stallMs: 30_000 }; // WIRE §2

/** Server-sent events, one reader at a time: a newer stream ends the older with `bye`. Nothing is queued in memory: durable events are read
 *  from the journal when the reader has room, of `root` only the latest is sent. A reader that takes nothing for `stallMs` is cut. */
export function eventStreams(
  source: StreamSource,
  times: StreamTimes = STREAM_TIMES,
): { readonly open: (res: ServerResponse, lastEventId: string | null) => void; readonly stop: () => void } {
  let current: AbortController | null = null;
  const open = (res: ServerResponse, lastEventId: string | null): void => {
    current?.abort("bye");
    const mine = new AbortController();
    current = mine;
    res.on("close", () => mine.abort("closed"));
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    void serve(source, times, res, resumeAfter(lastEventId, source.journal), mine.signal).catch(() => res.destroy());
  };
  return { open, stop: () => current?.abort("bye") };
}

/** The seq after which replay starts: the reader's own place if it is in this stream and range, else everything unacked. */
export function resumeAfter(lastEventId: string | null, journal: Pick<Journal, "stream" | "range">): number {
  const { first, last } = journal.range();
  const match = /^([^.]+)\.(\d{1,15})$/.exec(lastEventId ?? "");
  const seq = Number(match?.[2] ?? -1);
  return match !== null && match[1] === journal.stream && seq >= first - 1 && seq <= last ? seq : first - 1;
}

async function serve(source: StreamSource, times: StreamTimes, res: ServerResponse, after: number, signal: AbortSignal): Promise<void> {
  const bell = makeBell(signal);
  const off = [source.journal.onAppend(bell.ring), source.onHead(bell.ring)];
  const send = (text: string): Promise<void> => writePaced(res, text, times.stallMs);
  try {
    await send(frame("hello", source.hello()));
    let sent = "";
    let seq = after;
    let beatAt = performance.now() + times.beatMs;
    while (!signal.aborted) {
      bell.hush();
      seq = await replay(source.journal, seq, send, signal);
      const head = source.head();
      if (JSON.stringify(head) !== sent) {
        sent = JSON.stringify(head);
        await send(frame("root", head));
      }
      if (performance.now() >= beatAt) {
        await send(frame("beat", { now: source.now(), root: head.root }));
        beatAt = performance.now() + times.beatMs;
      }
      await bell.wait(Math.max(1, beatAt - performance.now()));
    }
    if (signal.reason === "bye") res.end(frame("bye", {}));
  } finally {
    for (const stop of off) stop();
  }
}

async function replay(journal: Journal, after: number, send: (text: string) => Promise<void>, signal: AbortSignal): Promise<number> {
  let seq = Math.max(after, journal.range().first - 1);
  while (seq < journal.range().last && !signal.aborted) {
    const line = await journal.read(seq + 1);
    seq += 1;
    if (line !== null) await send(`id: ${journal.stream}.${seq}\nevent: event\ndata: ${line}\n\n`);
  }
  return seq;
}

function frame(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Writes and waits until the socket took it; a reader that does not in `stallMs` is cut. */
async function writePaced(res: ServerResponse, text: string, stallMs: number): Promise<void> {
  if (res.destroyed || res.writableEnded || res.write(text)) return;
  const gone = new AbortController();
  const done = (): void => gone.abort();
  res.once("drain", done);
  res.once("close", done);
  await sleep(stallMs, gone.signal);
  res.off("drain", done);
  res.off("close", done);
  if (!gone.signal.aborted) res.destroy();
}

/** A wake-up that remembers a ring that came while nobody waited. */
function makeBell(signal: AbortSignal): {
  readonly ring: () => void;
  readonly hush: () => void;
  readonly wait: (ms: number) => Promise<void>;
} {
  let rung = false;
  let wake = new AbortController();
  const ring = (): void => {
    rung = true;
    wake.abort();
  };
  signal.addEventListener("abort", ring);
  return {
    ring,
    hush: () => {
      rung = false;
      wake = new AbortController();
    },
    wait: async (ms) => {
      if (!rung) await sleep(ms, wake.signal);
    },
  };
}
