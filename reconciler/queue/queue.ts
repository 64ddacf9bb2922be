import { sleep } from "#base/time/index.ts";

/** When a key runs next by itself; null = when somebody adds it. */
export type Next = { readonly againInMs: number } | null;

export type Queue = {
  /** Asks for a run of `key`. While it runs, any number of calls make one more run; else it runs as soon as a place is free. */
  add(key: string): void;
  /** Takes the key away: no further runs, also no planned one. */
  remove(key: string): void;
  /** Resolves when nothing runs and nothing is due. */
  idle(): Promise<void>;
  stop(): Promise<void>;
};

/** A level-triggered work queue: it holds keys, never events; each key runs at most once at a time and is remembered at most once (the contract of
 *  controller-runtime's queue). At most `places` run together. `run` must not throw: a thrown error ends the process as a programmer error. */
export function makeQueue(places: number, run: (key: string, signal: AbortSignal) => Promise<Next>): Queue {
  const due = new Set<string>();
  const wanted = new Set<string>(); // not removed since it was added
  const running = new Map<string, Promise<void>>();
  const timers = new Map<string, NodeJS.Timeout>();
  const stop = new AbortController();

  const later = (key: string, ms: number): void => {
    clearTimeout(timers.get(key));
    timers.set(
      key,
      setTimeout(() => add(key), ms),
    );
  };
  const work = async (key: string): Promise<void> => {
    const next = await run(key, stop.signal);
    running.delete(key);
    if (next !== null && !stop.signal.aborted && wanted.has(key) && !due.has(key)) later(key, next.againInMs);
    pump();
  };
  const pump = (): void => {
    for (const key of due) {
      if (running.size >= places || stop.signal.aborted) return;
      if (running.has(key)) continue;
      due.delete(key);
      clearTimeout(timers.get(key));
      timers.delete(key);
      running.set(key, work(key));
    }
  };
  const add = (key: string): void => {
    wanted.add(key);
    due.add(key);
    pump();
  };
  return {
    add,
    remove: (key) => {
      wanted.delete(key);
      due.delete(key);
      clearTimeout(timers.get(key));
      timers.delete(key);
    },
    idle: async () => {
      while (running.size > 0 || due.size > 0) await sleep(5);
    },
    stop: async () => {
      stop.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
