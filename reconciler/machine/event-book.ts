import { appendFile, open } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, readIfThere } from "#base/durable/index.ts";
import { agentEvent, type AgentEvent, type MachineId } from "#schemas/wire/index.ts";

/** What machines told the hub: history for people, one file a machine. Convergence never reads it. */
export type EventBook = {
  /** "<stream>.<seq>" of the newest recorded event, null when there is none. */
  last(machine: MachineId): Promise<string | null>;
  /** Keeps `event` durably, once: false when it is there already. In the order of calls. */
  record(machine: MachineId, event: AgentEvent, id: string): Promise<boolean>;
};

type Page = { last: string | null; stream: string; seq: number; tail: Promise<unknown> };

/** Events as JSON lines under `folder`. A line cut by a crash is left out and, since it was never acknowledged, comes again. */
export function openEventBook(folder: string): EventBook {
  const pages = new Map<string, Promise<Page>>();
  const pageOf = (machine: string): Promise<Page> => {
    let page = pages.get(machine);
    if (page === undefined) pages.set(machine, (page = readPage(folder, machine)));
    return page;
  };
  return {
    last: async (machine) => (await pageOf(machine)).last,
    record: async (machine, event, id) => {
      const page = await pageOf(machine);
      const turn = page.tail.then(() => append(folder, machine, page, event, id));
      page.tail = turn.catch(() => null); // its caller has the error; the next event may find room again
      return turn;
    },
  };
}

async function append(folder: string, machine: string, page: Page, event: AgentEvent, id: string): Promise<boolean> {
  if (event.stream === page.stream && event.seq <= page.seq) return false;
  await appendFile(pathOf(folder, machine), `${JSON.stringify(event)}\n`, { mode: 0o600, flush: true });
  page.last = id;
  page.stream = event.stream;
  page.seq = event.seq;
  return true;
}

async function readPage(folder: string, machine: string): Promise<Page> {
  await makeFolder(folder);
  const bytes = await readIfThere(pathOf(folder, machine));
  const text = bytes === null ? "" : Buffer.from(bytes).toString("utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await truncate(pathOf(folder, machine), Buffer.byteLength(whole));
  const event = lastEvent(whole);
  return {
    last: event === null ? null : `${event.stream}.${event.seq}`,
    stream: event?.stream ?? "",
    seq: event?.seq ?? 0,
    tail: Promise.resolve(),
  };
}

function lastEvent(text: string): AgentEvent | null {
  for (const line of text.split("\n").toReversed()) {
    if (line === "") continue;
    try {
      const parsed = agentEvent.safeParse(JSON.parse(line));
      if (parsed.success) return parsed.data;
    } catch (err) {
      if (!(err instanceof SyntaxError)) throw err;
    }
  }
  return null;
}

async function truncate(path: string, size: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.truncate(size);
    await file.datasync();
  } finally {
    await file.close();
  }
}

function pathOf(folder: string, machine: string): string {
  return join(folder, `${machine}.ndjson`);
}
