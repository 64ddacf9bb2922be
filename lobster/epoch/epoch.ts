import { MooringError } from "#base/errors/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { counter } from "#schemas/wire/index.ts";
import * as z from "zod/mini";

/** A jump above this many epochs is no take-over but a mistake or an attack; only an operator's signed reset goes further (DESIGN §11). */
export const MAX_EPOCH_JUMP = 1000;

const record = z.strictObject({ epoch: counter, hub: z.nullable(z.string()) });

/** The fencing token of a machine's owner. */
export type EpochGate = {
  readonly current: () => number;
  /** Resolves once `epoch` is the highest seen and durable, so whoever acts next acts under it. Equal is fine. Throws EPOCH_STALE (`have` = ours)
   *  for a lower one, EPOCH_JUMP for one too far above. Calls are served in order. */
  readonly admit: (epoch: number, hub: string | null) => Promise<{ readonly raised: boolean }>;
  /** Throws EPOCH_STALE for a lower epoch; raises nothing. */
  readonly refuseLower: (epoch: number) => void;
};

/** The gate over the file `path`; a missing file is epoch 0. */
export async function openEpochGate(path: string): Promise<EpochGate> {
  const bytes = await readIfThere(path);
  let current = bytes === null ? 0 : z.parse(record, JSON.parse(new TextDecoder().decode(bytes))).epoch;
  let lane: Promise<unknown> = Promise.resolve();
  const refuseLower = (epoch: number): void => {
    if (epoch < current) throw new MooringError("EPOCH_STALE", `epoch ${epoch} is below the machine's`, { have: current });
  };
  const raise = async (epoch: number, hub: string | null): Promise<{ readonly raised: boolean }> => {
    refuseLower(epoch);
    if (epoch === current) return { raised: false };
    if (epoch - current > MAX_EPOCH_JUMP)
      throw new MooringError("EPOCH_JUMP", `epoch ${epoch} is more than ${MAX_EPOCH_JUMP} above the machine's`, { have: current });
    await writeDurable(path, JSON.stringify({ epoch, hub }));
    current = epoch;
    return { raised: true };
  };
  return {
    current: () => current,
    refuseLower,
    admit: (epoch, hub) => {
      const turn = lane.then(() => raise(epoch, hub));
      lane = turn.catch(() => null); // the caller gets the error; the next one only waits for its turn
      return turn;
    },
  };
}
