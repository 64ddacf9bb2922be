import { MooringError } from "#base/errors/index.ts";
import { readRefLines } from "./advertisement.ts";
import type { Carrier, Service, Talk } from "./carrier.ts";
import { fetchRequest, listRequest, readFetched } from "./fetch.ts";
import type { PacketReader } from "./pkt-line.ts";
import { pushOver, raced } from "./push.ts";
import type { FetchedPack, FetchRequest, RefUpdate, Transport } from "./transport.ts";

const KEEP_MS = 5_000; // nobody who fetches waits so long after listing

/** A transport over `carrier`. The talk of a listing is kept for the fetch that follows it, so a poll needs one talk. */
export function makeTransport(carrier: Carrier): Transport {
  let kept: Talk | null = null;
  let timer: NodeJS.Timeout | undefined;
  const take = async (service: Service, signal: AbortSignal): Promise<Talk> => {
    const mine = kept;
    kept = null;
    return mine ?? carrier.open(service, signal);
  };
  const drop = (): void => {
    clearTimeout(timer);
    kept?.end();
    kept = null;
  };
  const keep = (talk: Talk): void => {
    drop();
    kept = talk;
    timer = setTimeout(drop, KEEP_MS);
    timer.unref();
  };

  const listRefs: Transport["listRefs"] = async (prefixes, signal) => {
    drop();
    const talk = await carrier.open("git-upload-pack", signal);
    const refs = await ending(talk, async () => {
      if (talk.ad.version === 0) return talk.ad.refs;
      const reader = await talk.ask(listRequest(prefixes, talk.ad), signal);
      const refs = await readRefLines(reader, talk.where);
      await talk.settle(reader);
      return refs;
    });
    keep(talk);
    return new Map([...refs].filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))));
  };
  const fetchPack = async (request: FetchRequest, signal: AbortSignal): Promise<FetchedPack> => {
    const talk = await take("git-upload-pack", signal);
    return ending(talk, async () => {
      const reader = await talk.ask(fetchRequest(request, talk.ad, talk.where), signal);
      const fetched = await readFetched(reader, request, talk.ad, talk.where);
      return { ...fetched, pack: released(fetched.pack, reader, () => (talk.ad.version === 2 ? keep(talk) : talk.end()), talk) };
    });
  };
  const push = async (update: RefUpdate, gitdir: string, signal: AbortSignal): Promise<void> => {
    const talk = await carrier.open("git-receive-pack", signal);
    const report = await ending(talk, () => pushOver(talk, update, gitdir, signal));
    talk.end();
    if (report.at === "moved") return;
    const cause = new Error(report.text);
    if (report.isRace || ((await listRefs([update.ref], signal)).get(update.ref) ?? null) !== update.from)
      throw raced(update.ref, "somebody else pushed meanwhile", cause);
    throw new MooringError("SOURCE_PUSH_REFUSED", `branch ${update.ref.replace(/^refs\/heads\//, "")}`, {
      why: "the server refused the push (a hook or a protection of the branch)",
      cause,
    });
  };
  const close = (): void => {
    drop();
    carrier.close();
  };
  return { listRefs, fetchPack, push, close };
}

/** `work`; a talk in which it fails is over. */
async function ending<T>(talk: Talk, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (err) {
    talk.end();
    throw err;
  }
}

/** `pack`, and what comes after it: the talk goes back when it was read to its end, and ends when it was left. */
async function* released(pack: AsyncIterable<Uint8Array>, reader: PacketReader, back: () => void, talk: Talk): AsyncGenerator<Uint8Array> {
  let isWhole = false;
  try {
    yield* pack;
    await talk.settle(reader);
    isWhole = true;
  } finally {
    if (isWhole) back();
    else {
      talk.end();
      await reader.cancel();
    }
  }
}
