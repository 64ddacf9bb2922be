import { backoffMs, sleep } from "#base/time/index.ts";

export type NoticeOptions = {
  /** Between two looks when nothing is heard, ±10 %, so that hubs that started together do not ask together. */
  readonly pollMs: number;
  /** 0 ≤ r < 1. */
  readonly random: () => number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
  /** A hint waits so long for others of its burst: git moves a reference in several steps. */
  readonly quietMs?: number;
  /** Shortest time between two looks that hints cause, so that a flood of them costs no more than that. */
  readonly gapMs?: number;
};

const FAILED = { baseMs: 1_000, maxMs: 60_000 };

/** When to look at the source: on a timer, sooner after a hint, ever later while looks fail. */
export class Notice {
  readonly #options: Required<NoticeOptions>;
  #heard: PromiseWithResolvers<void> = Promise.withResolvers();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: NoticeOptions) {
    this.#options = { now: () => performance.now(), quietMs: 10, gapMs: 100, ...options };
  }

  /** Something may have moved: a watcher, a webhook or a person says so. Any number of them until the next look count as one; one that comes while a look
   *  runs causes another, since that look may have been too early. */
  notice(): void {
    this.#heard.resolve();
  }

  /** Resolves when the next look is due, after so many failures in a row; at once when `signal` fires. */
  async wait(failures: number, signal: AbortSignal): Promise<void> {
    const { now, quietMs, gapMs } = this.#options;
    const due = new AbortController();
    const stop = AbortSignal.any([signal, due.signal]);
    const isHeard = await Promise.race([this.#heard.promise.then(() => true), sleep(this.pauseMs(failures), stop).then(() => false)]);
    due.abort(); // takes the timer down
    if (isHeard) await sleep(Math.max(quietMs, this.#lookedAt + gapMs - now()), signal);
    this.#heard = Promise.withResolvers();
    this.#lookedAt = now();
  }

  /** How long to wait when nothing is heard. Never longer than the poll's own pause, and never longer than a minute after a failure. */
  pauseMs(failures: number): number {
    const { pollMs, random } = this.#options;
    const usual = pollMs * (0.9 + 0.2 * random());
    return failures === 0 ? usual : Math.min(usual, backoffMs(failures, FAILED, random()));
  }
}
