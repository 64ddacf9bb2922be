import { errorField, type Log } from "#base/log/index.ts";
import { type FSWatcher, watch } from "node:fs";
import type { Level } from "../live/index.ts";

export type WatchTimes = { readonly settleMs: number; readonly sweepMs: number; readonly rehashMs: number };

/** Events are a hint and may be lost; the sweep is the safety net, the re-hash the proof. */
export const WATCH_TIMES: WatchTimes = { settleMs: 15, sweepMs: 10_000, rehashMs: 3_600_000 };

export type Triggers = {
  /** Watches these folders and no others from now on. */ readonly point: (folders: readonly string[]) => void;
  readonly look: (level: Level) => void;
  readonly stop: () => void;
};

/** Calls `look` when something may have changed in the folders pointed at: after file events (settled for `settleMs`), every `sweepMs` at stat
 *  level, every `rehashMs` at hash level. Never two looks at once; what comes during a look causes one more. */
export function makeTriggers(look: (level: Level) => Promise<void>, log: Log, times: WatchTimes = WATCH_TIMES): Triggers {
  let watchers: FSWatcher[] = [];
  let settle: NodeJS.Timeout | null = null;
  const turn: { pending: Level | null; isBusy: boolean; isStopped: boolean } = { pending: null, isBusy: false, isStopped: false };
  const run = async (): Promise<void> => {
    if (turn.isBusy || turn.isStopped) return;
    turn.isBusy = true;
    try {
      while (turn.pending !== null && !turn.isStopped) {
        const level = turn.pending;
        turn.pending = null;
        await look(level);
      }
    } catch (err) {
      log.error(errorField(err), "a look at the live state failed; the next sweep tries again");
    } finally {
      turn.isBusy = false;
    }
  };
  const ask = (level: Level): void => {
    turn.pending = turn.pending === "hash" ? "hash" : level;
    void run();
  };
  const onEvent = (): void => {
    settle ??= setTimeout(() => {
      settle = null;
      ask("stat");
    }, times.settleMs);
  };
  const timers = [setInterval(() => ask("stat"), times.sweepMs), setInterval(() => ask("hash"), times.rehashMs)];
  const close = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  return {
    look: ask,
    point: (folders) => {
      close();
      if (!turn.isStopped) watchers = folders.flatMap((folder) => watchFolder(folder, onEvent, log));
    },
    stop: () => {
      turn.isStopped = true;
      close();
      for (const timer of timers) clearInterval(timer);
      if (settle !== null) clearTimeout(settle);
    },
  };
}

/** One inotify watch a folder: it reports its files, also those that come later. */
function watchFolder(folder: string, onEvent: () => void, log: Log): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on("error", () => log.warn({}, "a file watch failed; sweeps go on"));
    return [watcher];
  } catch (err) {
    log.warn(errorField(err), "no file watch on a folder; sweeps go on");
    return [];
  }
}
