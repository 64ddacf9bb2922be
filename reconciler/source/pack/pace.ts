import { setImmediate } from "node:timers/promises";

const STRETCH_MS = 8;

/** Lets everything else of the process run every few milliseconds of long work, and stops it when `signal` fires. */
export class Pace {
  readonly #signal: AbortSignal | null;
  #since = performance.now();

  constructor(signal: AbortSignal | null = null) {
    this.#signal = signal;
  }

  async step(): Promise<void> {
    if (performance.now() - this.#since < STRETCH_MS) return;
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#since = performance.now();
  }
}
