/** Counts corrections: the same path put right more than `limit` times in `windowMs` is a fight with somebody, not drift. Pure but for its memory. */
export type Fights = {
  /** Notes one correction of `path`; true when it has become (or still is) a fight. */
  readonly note: (path: string, nowMs: number) => boolean;
  /** Milliseconds to leave `path` alone from now on: 0 outside a fight, then doubling with each round up to `maxPauseMs`. */
  readonly pauseMs: (path: string, nowMs: number) => number;
  readonly fighting: (nowMs: number) => readonly string[];
};

export const FIGHT = { limit: 5, windowMs: 60_000, maxPauseMs: 600_000 };

export function makeFights(rule = FIGHT): Fights {
  const paths = new Map<string, { times: number[]; rounds: number; until: number }>();
  const of = (path: string): { times: number[]; rounds: number; until: number } => {
    const found = paths.get(path) ?? { times: [], rounds: 0, until: 0 };
    paths.set(path, found);
    return found;
  };
  return {
    note: (path, nowMs) => {
      const entry = of(path);
      entry.times = [...entry.times.filter((at) => nowMs - at < rule.windowMs), nowMs];
      if (entry.times.length <= rule.limit) {
        if (nowMs > entry.until + rule.windowMs) entry.rounds = 0;
        return false;
      }
      entry.until = nowMs + Math.min(rule.maxPauseMs, rule.windowMs * 2 ** entry.rounds);
      entry.rounds += 1;
      return true;
    },
    pauseMs: (path, nowMs) => Math.max(0, (paths.get(path)?.until ?? 0) - nowMs),
    fighting: (nowMs) =>
      [...paths]
        .filter(([, entry]) => entry.until > nowMs)
        .map(([path]) => path)
        .sort(),
  };
}
