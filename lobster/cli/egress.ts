import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { MooringError } from "#base/errors/index.ts";
import type { Log } from "#base/log/index.ts";
import { backoffMs, sleep } from "#base/time/index.ts";

export type EgressOptions = {
  readonly entry: string;
  readonly socket: string;
  readonly uid: number | null;
  readonly execArgv: readonly string[];
  readonly log: Log;
};

/** Keeps the egress process running, with back-off, until `stop`. Resolves when the first one listens; throws EGRESS_NOT_STARTED. */
export async function keepEgress(options: EgressOptions): Promise<{ readonly stop: () => Promise<void> }> {
  const stopping = new AbortController();
  let current = await startEgress(options);
  const keep = async (): Promise<void> => {
    for (let tries = 1; ; tries++) {
      if (current.exitCode === null && current.signalCode === null) await once(current, "exit");
      if (stopping.signal.aborted) return;
      options.log.error({ code: current.exitCode, signal: current.signalCode }, "egress ended; it is started anew");
      await sleep(backoffMs(tries, { baseMs: 200, maxMs: 30_000 }, Math.random()), stopping.signal);
      if (stopping.signal.aborted) return;
      current = await startEgress(options).catch((err: unknown) => {
        if (err instanceof MooringError) return current; // ended as well; the loop tries again, later
        throw err;
      });
    }
  };
  const kept = keep();
  return {
    stop: async () => {
      stopping.abort();
      if (current.connected) current.disconnect(); // that ends it
      await kept;
    },
  };
}

async function startEgress({ entry, socket, uid, execArgv }: EgressOptions): Promise<ChildProcess> {
  const as = uid === null ? {} : { uid, gid: uid };
  const child = fork(entry, [socket], {
    execArgv: [...execArgv],
    env: {},
    cwd: "/",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    ...as,
  });
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    const failed = (cause?: unknown): void => reject(new MooringError("EGRESS_NOT_STARTED", `egress on ${socket}`, { cause }));
    child.once("error", failed);
    child.once("exit", () => failed());
  });
  return child;
}
