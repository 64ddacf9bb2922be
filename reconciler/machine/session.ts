import type { Log } from "#base/log/index.ts";
import { errorField } from "#base/log/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Hello, MachineId } from "#schemas/wire/index.ts";
import { type AgentClient, agentClient } from "../agents/index.ts";
import type { MachineLink } from "../desired/index.ts";
import { type Link, type PinnedHost, pinsOf } from "../ssh/index.ts";
import type { EventBook } from "./event-book.ts";

/** How the hub reaches one address of a machine; throws the SSH_ codes. The pins are the machine's, from the released revision's own document. */
export type Dial = (host: Omit<PinnedHost, "username">, signal: AbortSignal) => Promise<Link>;

/** One living connection to a machine, owned under an epoch. */
export type Session = {
  readonly client: AgentClient;
  readonly epoch: number;
  /** The hello of the last time we asked. */
  readonly hello: Hello;
  refresh(): Promise<Hello>;
  readonly isAlive: () => boolean;
  close(): void;
};

export type SessionDeps = {
  readonly fleet: string;
  readonly hub: string;
  readonly dial: Dial;
  readonly log: Log;
  readonly book: EventBook;
  /** Something moved there, or the connection ended: run again. */
  readonly onHint: () => void;
};

/** Connects, checks who answers, claims the next epoch (or keeps `epoch`, the one this hub claimed before) and listens to events from then on. Throws
 *  the SSH_ codes, MACHINE_NOT_OURS, EPOCH_STALE when another hub took the machine over. */
export async function openSession(
  name: MachineId,
  where: MachineLink,
  epoch: number | null,
  deps: SessionDeps,
  signal: AbortSignal,
): Promise<Session> {
  const life = new AbortController();
  const outer = (): void => life.abort();
  signal.addEventListener("abort", outer, { once: true });
  const link = await connectAny(name, where, deps.dial, signal);
  const client = agentClient(name, link, life.signal);
  try {
    const hello = await client.hello();
    if (hello.fleet !== deps.fleet || hello.machine !== name)
      throw new MooringError("MACHINE_NOT_OURS", `${name}: the agent there is ${hello.machine} of fleet ${hello.fleet}`);
    const mine = await claim(client, hello, epoch, deps.hub);
    let alive = true;
    const end = (): void => {
      if (!alive) return;
      alive = false;
      signal.removeEventListener("abort", outer);
      life.abort();
      client.close();
      deps.onHint();
    };
    void link.closed.then(end);
    void listen(name, client, mine, deps).finally(end);
    return sessionOf(client, mine, hello, () => alive, end);
  } catch (err) {
    life.abort();
    client.close();
    throw err;
  }
}

function sessionOf(client: AgentClient, epoch: number, first: Hello, isAlive: () => boolean, close: () => void): Session {
  let hello = first;
  return {
    client,
    epoch,
    get hello() {
      return hello;
    },
    refresh: async () => (hello = await client.hello()),
    isAlive,
    close,
  };
}

/** The first claim is one above what the machine has seen, so a hub whose store is gone never falls behind. Afterwards a higher epoch means that
 *  another hub owns the machine. */
async function claim(client: AgentClient, hello: Hello, epoch: number | null, hub: string): Promise<number> {
  const mine = epoch ?? hello.epoch + 1;
  if (hello.epoch > mine)
    throw new MooringError("EPOCH_STALE", `${hello.machine}: epoch ${hello.epoch} after our ${mine}`, { have: hello.epoch });
  if (hello.epoch < mine) await client.claim(mine, hub);
  return mine;
}

/** A link by the first address that answers; throws the SSH_ codes. */
export async function connectAny(name: MachineId, where: MachineLink, dial: Dial, signal: AbortSignal): Promise<Link> {
  let last: unknown = new MooringError("SSH_UNREACHABLE", `${name}: no address`);
  for (const address of where.addresses) {
    try {
      return await dial({ name, address, port: where.port, pins: pinsOf(where.hostKeys, `machine ${name}`) }, signal);
    } catch (err) {
      last = err;
      if (!(err instanceof MooringError) || err.disposition !== "retry") throw err;
    }
  }
  throw last;
}

async function listen(name: MachineId, client: AgentClient, epoch: number, { book, log, onHint }: SessionDeps): Promise<void> {
  try {
    await client.events(await book.last(name), epoch, {
      onHello: () => undefined,
      onRoot: onHint,
      onEvent: (event, id) => {
        void book
          .record(name, event, id)
          .then((isNew) => (isNew ? client.ack(event.stream, event.seq, epoch) : undefined))
          .catch((err: unknown) => log.warn({ machine: name, ...errorField(err) }, "event not recorded"));
        log.info({ machine: name, kind: event.kind, seq: event.seq }, "machine event");
        onHint();
      },
    });
  } catch (err) {
    log.warn({ machine: name, ...errorField(err) }, "event stream ended");
  }
}
