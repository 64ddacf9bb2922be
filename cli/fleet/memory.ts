import { createHash } from "node:crypto";
import { join } from "node:path";
import { makeFolder, readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { bytes64, counter, digest } from "#schemas/wire/index.ts";
import * as z from "zod/mini";

const remembered = z.object({
  v: z.literal(1),
  trustRoot: digest,
  /** The newest complete release seen: with fewer later on, somebody took releases away. */
  serial: counter,
  /** Its fleet and trust section, for a revocation while the git server is away. */
  verified: z.nullable(z.object({ fleet: z.string(), trust: bytes64 })),
});
export type Remembered = z.infer<typeof remembered>;

/** What the command line keeps of one source between runs: the trust root it was told and how far it has seen releases. Losing it only means
 *  naming --trust-root again. */
export type Memory = {
  readonly folder: string;
  read(): Promise<Remembered | null>;
  write(next: Remembered): Promise<void>;
};

/** Memory of `source` under the cache folder; the folder's name is a hash of the URL. */
export function memoryOf(cache: string, source: string): Memory {
  const folder = join(cache, createHash("sha256").update(source).digest("hex").slice(0, 16));
  const path = join(folder, "trust-root");
  return {
    folder,
    async read() {
      const bytes = await readIfThere(path);
      if (bytes === null) return null;
      const parsed = remembered.safeParse(jsonOf(bytes));
      if (!parsed.success) throw new MooringError("CACHE_BROKEN", path, { why: "it is not what was written there", cause: parsed.error });
      return parsed.data;
    },
    async write(next) {
      await makeFolder(folder);
      const before = await this.read();
      const isBehind = before !== null && before.trustRoot === next.trustRoot && before.serial > next.serial; // another command was faster
      if (!isBehind) await writeDurable(path, `${JSON.stringify(next)}\n`);
    },
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined; // no schema takes it
  }
}
