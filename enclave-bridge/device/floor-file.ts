import { join } from "node:path";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { isTime, msOf, timeOf } from "#base/time/index.ts";
import type { TimeFloor } from "./floor.ts";

const EVERY_MS = 60_000;

/** Raises the floor to what an earlier bridge of the folder had reached, and writes it down each minute: a clock set back while the machine is
 *  off gains a minute at most. A file that cannot be written is tried again; the signed times of lease and envelopes still hold. */
export async function keepFloor(dir: string, floor: TimeFloor): Promise<void> {
  const path = join(dir, "floor");
  const text = new TextDecoder().decode((await readIfThere(path)) ?? new Uint8Array()).trim();
  if (isTime(text)) floor.observe(msOf(text));
  const write = async (): Promise<void> => {
    try {
      await writeDurable(path, `${timeOf(floor.now())}\n`);
    } catch (err) {
      if (!(err instanceof Error) || (err as NodeJS.ErrnoException).errno === undefined) throw err;
    }
  };
  await write();
  setInterval(() => void write(), EVERY_MS).unref();
}
