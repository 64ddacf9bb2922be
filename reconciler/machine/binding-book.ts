import { join } from "node:path";
import { makeFolder, readIfThere, writeDurable } from "#base/durable/index.ts";
import type { MachineId } from "#schemas/wire/index.ts";
import * as z from "zod/mini";

const entry = z.object({ wanted: z.string(), leaseUntil: z.string(), renewAt: z.number() });

/** What was sealed for a machine last: the digest of all that decides it, and when its lease is renewed (ms since 1970). */
export type BindingEntry = z.infer<typeof entry>;

/** A cache, so that a restarted hub seals nothing twice; losing it costs one more sealing. */
export type BindingBook = {
  read(machine: MachineId): Promise<BindingEntry | null>;
  write(machine: MachineId, value: BindingEntry): Promise<void>;
};

export function openBindingBook(folder: string): BindingBook {
  const pathOf = (machine: string): string => join(folder, `${machine}.json`);
  return {
    async read(machine) {
      const bytes = await readIfThere(pathOf(machine));
      const parsed = entry.safeParse(bytes === null ? null : jsonOr(Buffer.from(bytes).toString("utf8")));
      return parsed.success ? parsed.data : null;
    },
    async write(machine, value) {
      await makeFolder(folder);
      await writeDurable(pathOf(machine), JSON.stringify(value));
    },
  };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
