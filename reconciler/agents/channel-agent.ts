import http from "node:http";
import type { Duplex } from "node:stream";
import type { Link } from "../ssh/index.ts";

type Done = (err: Error | null, channel?: Duplex) => void;

/** An http.Agent whose one connection is a channel of `link`: HTTP/1.1 with keep-alive over it. A channel that is destroyed is replaced by the next
 *  request. `signal` ends the wait for a channel. */
export function channelAgent(link: Link, signal: AbortSignal): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  const hand = async (done: Done): Promise<void> => {
    try {
      done(null, asSocket(await link.channel(signal)));
    } catch (err) {
      done(err instanceof Error ? err : new Error("no channel", { cause: err }));
    }
  };
  const create = (_options: unknown, done: Done): undefined => {
    void hand(done);
    return undefined;
  };
  return Object.assign(agent, { createConnection: create });
}

/** Requests over one channel, one after the other. */
export type Lane = { readonly next: <T>(use: (agent: http.Agent) => Promise<T>) => Promise<T>; readonly destroy: () => void };

/** A lane over `agent`. Its own `maxSockets` does not hold here: two requests at once would each open a channel while none is there yet. */
export function laneOver(agent: http.Agent): Lane {
  let last: Promise<unknown> = Promise.resolve();
  return {
    next: (use) => {
      const turn = last.then(() => use(agent));
      last = turn.catch(() => null); // the caller gets the error
      return turn;
    },
    destroy: () => agent.destroy(),
  };
}

/** node:http calls these on a socket; a channel has no such settings of its own. */
function asSocket(channel: Duplex): Duplex {
  const none = function (this: Duplex): Duplex {
    return this;
  };
  // An error after the answer (the link died while idle) has nobody to tell; the next request opens another channel.
  channel.on("error", () => channel.destroy());
  return Object.assign(channel, { setTimeout: none, setNoDelay: none, setKeepAlive: none, ref: none, unref: none });
}
