import { backoffMs } from "#base/time/index.ts";
import type { RunSpec } from "#schemas/wire/index.ts";

const WINDOW_MS = 600_000; // restarts are counted over ten minutes, and a run that long wipes the slate
const MAX_IN_WINDOW = 5;
const BACKOFF = { baseMs: 1_000, maxMs: 300_000 };

/** What is remembered of a plugin's ends; starts empty, and empty again when a person restarts it or its bundle changes. */
export type History = { readonly restartsAt: readonly number[]; readonly attempt: number };

export const NO_HISTORY: History = { restartsAt: [], attempt: 0 };

export type Exit = { readonly code: number | null; readonly signal: string | null; readonly startedAt: number; readonly at: number };

export type Next = { readonly kind: "stopped" } | { readonly kind: "failed" } | { readonly kind: "restart"; readonly afterMs: number };

/** What follows when a plugin ended by itself. `always` restarts whatever the code, `on-failure` after anything but code 0, `never` not at all;
 *  more than five restarts in ten minutes are `failed`, which only a person or a change of the plugin ends. `random` is 0 ≤ r < 1. Pure. */
export function afterExit(
  restart: RunSpec["restart"],
  history: History,
  exit: Exit,
  random: number,
): { readonly history: History; readonly next: Next } {
  const isClean = exit.code === 0;
  if (restart === "never") return { history, next: { kind: isClean ? "stopped" : "failed" } };
  if (restart === "on-failure" && isClean) return { history, next: { kind: "stopped" } };
  const wasHealthy = exit.at - exit.startedAt >= WINDOW_MS;
  const recent = wasHealthy ? [] : history.restartsAt.filter((at) => exit.at - at < WINDOW_MS);
  if (recent.length >= MAX_IN_WINDOW) return { history: { restartsAt: recent, attempt: history.attempt }, next: { kind: "failed" } };
  const attempt = wasHealthy ? 1 : history.attempt + 1;
  return {
    history: { restartsAt: [...recent, exit.at], attempt },
    next: { kind: "restart", afterMs: backoffMs(attempt, BACKOFF, random) },
  };
}
