import { join } from "node:path";
import { canonBytes, readCanonical } from "#base/canonical/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { counter, type Lease, type SignedLease, signedLease } from "#schemas/wire/index.ts";
import * as z from "zod/mini";

const leaseFile = z.strictObject({ v: z.literal(1), serial: counter, lease: signedLease });

/** The lease on the disk: a later serial takes the place of an earlier one, never the other way round. */
export class LeaseStore {
  readonly #path: string;
  #serial = -1;
  #lease: SignedLease | null = null;

  private constructor(path: string) {
    this.#path = path;
  }

  static async open(dir: string): Promise<LeaseStore> {
    const store = new LeaseStore(join(dir, "lease.json"));
    const bytes = await readIfThere(store.#path);
    const parsed = bytes === null ? null : leaseFile.safeParse(unlessDamaged(bytes));
    if (parsed?.success === true) {
      store.#serial = parsed.data.serial;
      store.#lease = parsed.data.lease;
    }
    return store;
  }

  get current(): SignedLease | null {
    return this.#lease;
  }

  /** Keeps a lease that was verified. Throws LEASE_REFUSED for one older than what is kept. */
  async keep(signed: SignedLease, what: Lease): Promise<void> {
    if (what.serial < this.#serial)
      throw new MooringError("LEASE_REFUSED", "a lease", { why: "a later one is kept already", have: this.#serial });
    await writeDurable(this.#path, canonBytes({ v: 1, serial: what.serial, lease: signed }));
    this.#serial = what.serial;
    this.#lease = signed;
  }
}

/** null for a damaged file: the hub sends the lease again. */
function unlessDamaged(bytes: Uint8Array): unknown {
  try {
    return readCanonical(bytes);
  } catch (err) {
    if (err instanceof MooringError) return null;
    throw err;
  }
}
