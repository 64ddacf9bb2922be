/** Milliseconds to wait before try `attempt` (1 = the first retry): doubles from `baseMs` to `maxMs`, then ±10 % by `random` (0 ≤ r < 1), so that
 *  a fleet that failed together does not come back together. Pure. */
export function backoffMs(attempt: number, limits: { readonly baseMs: number; readonly maxMs: number }, random: number): number {
  const raw = Math.min(limits.maxMs, limits.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(raw * (0.9 + 0.2 * random));
}
