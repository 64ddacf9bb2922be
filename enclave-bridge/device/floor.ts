/** "Now" that no clock set back can lower: the latest signed time seen, carried on by the monotonic clock, or the wall clock if that is later. */
export class TimeFloor {
  readonly #wall: () => number;
  readonly #mono: () => number;
  #floor = 0;
  #at = 0;

  /** Both in milliseconds; `mono` counts from anywhere and never goes back. */
  constructor(wall: () => number, mono: () => number) {
    this.#wall = wall;
    this.#mono = mono;
  }

  /** Raises the floor to a time that somebody signed, or that was "now" before. */
  observe(ms: number): void {
    if (!(ms > this.#carried())) return; // NaN too
    this.#floor = ms;
    this.#at = this.#mono();
  }

  now(): number {
    const now = Math.max(this.#carried(), this.#wall());
    this.observe(now);
    return now;
  }

  #carried(): number {
    return this.#floor + (this.#mono() - this.#at);
  }
}
