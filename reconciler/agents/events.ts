import http from "node:http";
import { MooringError } from "#base/errors/index.ts";
import { type Events, frameReader } from "./frames.ts";
import { answerOf, problemOf } from "./request.ts";

export type StreamOptions = {
  readonly after: string | null;
  readonly epoch: number;
  readonly on: Events;
  readonly signal: AbortSignal;
  /** Silence after which the machine counts as gone; 40 s unless given (WIRE §2: a beat each 15 s). */
  readonly deadAfterMs?: number;
};

const DEAD_AFTER_MS = 40_000;

/** Reads one event stream until it ends. Resolves when the agent or the link ended it or `signal` fired; AGENT_UNREACHABLE when nothing came in
 *  time; a refusal is thrown as the error it names (EPOCH_STALE). */
export function openEvents(agent: http.Agent, machine: string, options: StreamOptions): Promise<void> {
  const { after, epoch, on, signal, deadAfterMs = DEAD_AFTER_MS } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve();
    const headers = { "Mooring-Wire": "1", "Mooring-Epoch": String(epoch), ...(after === null ? {} : { "Last-Event-ID": after }) };
    const req = http.request({ agent, host: "lobster", path: "/v1/events", headers });
    const end = (err: unknown): void => {
      clearTimeout(dead);
      signal.removeEventListener("abort", stop);
      if (err === null) resolve();
      else
        reject(err instanceof MooringError ? err : new MooringError("AGENT_UNREACHABLE", `${machine}: the event stream`, { cause: err }));
      req.destroy();
      agent.destroy();
    };
    const stop = (): void => end(null);
    const dead = setTimeout(
      () => end(new MooringError("AGENT_UNREACHABLE", `${machine}: no beat for ${deadAfterMs} ms`)),
      deadAfterMs,
    ).unref();
    signal.addEventListener("abort", stop, { once: true });
    req.on("error", end);
    req.on("response", (res) => {
      if (res.statusCode !== 200) {
        answerOf(res, "GET").then((answer) => end(problemOf(answer, `${machine}: GET /v1/events`)), end);
        return;
      }
      const read = frameReader(machine, on);
      res.setEncoding("utf8");
      res.on("data", (piece: string) => {
        dead.refresh();
        try {
          read(piece);
        } catch (err) {
          if (!(err instanceof MooringError)) throw err;
          end(err);
        }
      });
      res.on("error", () => end(null)); // the link ended it: what was heard so far counts, the hub reconnects
      res.on("close", () => end(null));
    });
    req.end();
  });
}
