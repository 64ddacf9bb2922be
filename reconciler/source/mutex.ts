/** Who runs one piece of work at a time. */
export type Turns = { run<T>(work: () => Promise<T>): Promise<T> };

/** Runs one piece of work at a time, in the order asked for; a failure is the caller's and doesn't stop the next. */
export class Mutex implements Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined); // the caller has `mine`; here only the order matters
    return mine;
  }
}
