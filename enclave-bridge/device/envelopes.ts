import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { canonBytes, type Digest, digestOf, readCanonical } from "#base/canonical/index.ts";
import { makeFolder, readIfThere, removeIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { msOf } from "#base/time/index.ts";
import { type Binding, type Envelope, envelope, counter } from "#schemas/wire/index.ts";
import * as z from "zod/mini";

/** Envelopes that one grant keeps: the newest, and the one before it, so that the old bundle still gets its secret while a switch is under way. */
const KEPT = 2;
/** More grants than any machine has: a hostile hub cannot fill the disk. */
const MAX_SLOTS = 4_096;

const slotFile = z.strictObject({
  v: z.literal(1),
  subject: z.string(),
  ref: z.string(),
  /** Highest bindingSerial ever kept; it stays when the envelopes go. */
  high: counter,
  kept: z.readonly(z.array(z.strictObject({ grant: z.string(), envelope }))),
});
type Slot = z.infer<typeof slotFile>;

/** Sealed envelopes on the disk, one file for each (subject, ref). Trusts its caller to have verified what it stores; whoever takes one out
 *  verifies again. */
export class EnvelopeStore {
  readonly #dir: string;
  readonly #slots = new Map<string, Slot>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Damaged files are passed over: the hub sends envelopes again. */
  static async open(dir: string): Promise<EnvelopeStore> {
    const store = new EnvelopeStore(dir);
    await makeFolder(dir);
    for (const name of await readdir(dir)) {
      if (name.endsWith(".tmp")) await removeIfThere(join(dir, name));
      const slot = name.endsWith(".json") ? readSlot(await readIfThere(join(dir, name))) : null;
      if (slot !== null) store.#slots.set(keyOf(slot.subject, slot.ref), slot);
    }
    return store;
  }

  /** Newest first. */
  of(subject: string, ref: string): readonly Envelope[] {
    return this.#slots.get(keyOf(subject, ref))?.kept.map((item) => item.envelope) ?? [];
  }

  /** Keeps a verified envelope under the name of its grant. "stale" when its serial is not above all that were kept before. */
  async keep(grant: string, item: Envelope, what: Binding, now: number): Promise<"accepted" | "stale"> {
    const key = keyOf(what.grant.subject, what.grant.ref);
    const slot = this.#slots.get(key) ?? { v: 1, subject: what.grant.subject, ref: what.grant.ref, high: 0, kept: [] };
    if (what.bindingSerial === slot.high && slot.kept.some(({ envelope }) => envelopeDigest(envelope) === envelopeDigest(item)))
      return "accepted";
    if (what.bindingSerial <= slot.high || msOf(what.notAfter) <= now) return "stale";
    if (!this.#slots.has(key) && this.#slots.size >= MAX_SLOTS)
      throw new MooringError("ENVELOPE_REFUSED", "bindings", { why: `more than ${MAX_SLOTS} grants` });
    await this.#write({ ...slot, high: what.bindingSerial, kept: [{ grant, envelope: item }, ...slot.kept].slice(0, KEPT) });
    return "accepted";
  }

  /** Takes the envelopes of a grant away; false when there were none. */
  async drop(grant: string): Promise<boolean> {
    let dropped = false;
    for (const slot of this.#slots.values()) {
      const kept = slot.kept.filter((item) => item.grant !== grant);
      if (kept.length === slot.kept.length) continue;
      await this.#write({ ...slot, kept });
      dropped = true;
    }
    return dropped;
  }

  async #write(slot: Slot): Promise<void> {
    const name = `${digestOf(keyOf(slot.subject, slot.ref)).slice(7, 39)}.json`;
    await writeDurable(join(this.#dir, name), canonBytes(slot));
    this.#slots.set(keyOf(slot.subject, slot.ref), slot);
  }
}

/** Names an envelope in the audit log. */
export function envelopeDigest(item: Envelope): Digest {
  return digestOf(canonBytes(item));
}

function readSlot(bytes: Uint8Array | null): Slot | null {
  if (bytes === null) return null;
  try {
    const parsed = slotFile.safeParse(readCanonical(bytes));
    return parsed.success ? parsed.data : null;
  } catch (err) {
    if (err instanceof MooringError) return null;
    throw err;
  }
}

function keyOf(subject: string, ref: string): string {
  return `${subject}\n${ref}`;
}
