import { sleep } from "#base/time/index.ts";

/** A function that calls `act` at once, and for all calls in the `gapMs` after it once more at their end: one push makes several events, and each of a burst
 *  is seen by a look that began after it. Stops with `signal`. */
export function coalesced(act: () => void, gapMs: number, signal: AbortSignal): () => void {
  let isResting = false;
  let isDue = false;
  const rest = async (): Promise<void> => {
    isResting = true;
    do {
      isDue = false;
      act();
      await sleep(gapMs, signal);
    } while (isDue && !signal.aborted);
    isResting = false;
  };
  return () => {
    isDue = true;
    if (!isResting && !signal.aborted) void rest();
  };
}
