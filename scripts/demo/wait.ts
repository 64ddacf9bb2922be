import { setTimeout as sleep } from "node:timers/promises";

/** What keeps the demo from going on: a part that misbehaved, or a wait that ended without what was awaited. */
export class DemoFailure extends Error {}

/** Looks every `everyMs` until `look` gives something else than null, and gives that. A look that throws counts as null; when `ms` have passed the
 *  failure says what was awaited and what was seen last. */
export async function until<T>(
  what: string,
  ms: number,
  look: () => Promise<T | null> | T | null,
  seen: () => string = () => "",
  everyMs = 25,
): Promise<T> {
  const end = performance.now() + ms;
  let last: unknown = null;
  for (;;) {
    try {
      const found = await look();
      if (found !== null) return found;
    } catch (err) {
      if (err instanceof DemoFailure) throw err;
      last = err;
    }
    if (performance.now() > end) throw tooLate(what, ms, last, seen());
    await sleep(everyMs);
  }
}

/** Throws a failure that says `what` unless `isSo`. */
export function check(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new DemoFailure(what);
}

/** What an error says, in one piece. */
export function textOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}

function tooLate(what: string, ms: number, last: unknown, seen: string): DemoFailure {
  const more = [seen, last === null ? "" : `last error: ${textOf(last)}`].filter((part) => part !== "").join("; ");
  return new DemoFailure(`${what}: not within ${Math.round(ms / 1000)} s${more === "" ? "" : ` (${more})`}`);
}
