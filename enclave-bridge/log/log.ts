import { randomUUID } from "node:crypto";
import { canonBytes } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Clock, timeOf } from "#base/time/index.ts";
import type { AuditEntry, AuditEvent } from "#schemas/audit/index.ts";
import type { NoteSigner } from "./signer.ts";
import { Store } from "./store.ts";

export type LogOptions = {
  /** The log's folder; made when missing. ONE process may have it open. */
  readonly dir: string;
  /** `mooring/<fleet>/<machine>/<incarnation>`; for a vault `mooring/<fleet>/vault`. */
  readonly origin: string;
  readonly signer: NoteSigner;
  readonly now: Clock;
  /** Names this run of the process in its entries; random when left out. */
  readonly bootId?: string;
};

/** The one audit writer of a process. */
export type AuditLog = {
  readonly origin: string;
  readonly bootId: string;
  /** Entries in the log that are durable. */
  readonly size: number;
  /** Resolves with the entry's index when entry, tree and signed checkpoint are durable; rejects with AUDIT_UNAVAILABLE when they may not be:
   *  then whatever the entry was about MUST NOT happen. */
  append(event: AuditEvent): Promise<{ readonly index: number }>;
  /** The newest checkpoint, a signed note. */
  checkpoint(): Uint8Array;
  /** Waits for what was appended, then lets go of the files. */
  close(): Promise<void>;
};

/** Largest group one signature and one fdatasync carry. */
const MAX_BATCH = 64;

/** Opens a log or starts it. After a crash it comes back with every entry that was acknowledged. Throws AUDIT_CORRUPT when what is on the disk
 *  is not what the log's own signature covers, AUDIT_UNAVAILABLE when the folder cannot be written. */
export async function openLog(options: LogOptions): Promise<AuditLog> {
  const store = await Store.open(options.dir, options.origin, options.signer);
  return new GroupedLog(options, store);
}

type Waiting = {
  readonly event: AuditEvent;
  readonly resolve: (value: { readonly index: number }) => void;
  readonly reject: (err: unknown) => void;
};

/** Group commit: an idle log writes at once; what arrives during a write goes out together with the next one. */
class GroupedLog implements AuditLog {
  readonly origin: string;
  readonly bootId: string;
  readonly #store: Store;
  readonly #now: Clock;
  readonly #queue: Waiting[] = [];
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: LogOptions, store: Store) {
    this.origin = options.origin;
    this.bootId = options.bootId ?? randomUUID();
    this.#store = store;
    this.#now = options.now;
  }

  get size(): number {
    return this.#store.size;
  }

  checkpoint(): Uint8Array {
    return this.#store.note;
  }

  append(event: AuditEvent): Promise<{ readonly index: number }> {
    if (this.#closed)
      return Promise.reject(new MooringError("AUDIT_UNAVAILABLE", `audit log ${this.origin}`, { why: "the log is closed" }));
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.#store.close();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#writeGroup(this.#queue.splice(0, MAX_BATCH));
    this.#running = null;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const first = this.#store.size;
    try {
      await this.#store.commit(group.map(({ event }, i) => canonBytes(this.#entry(event, first + i))));
    } catch (err) {
      for (const { reject } of group) reject(err);
      return;
    }
    for (const [i, { resolve }] of group.entries()) resolve({ index: first + i });
  }

  #entry(event: AuditEvent, seq: number): AuditEntry {
    const { op, outcome } = event;
    return {
      v: 1,
      t: timeOf(this.#now()),
      seq,
      bootId: this.bootId,
      machine: event.machine ?? null,
      op,
      ref: event.ref ?? null,
      version: event.version ?? null,
      plugin: event.plugin ?? null,
      bundle: event.bundle ?? null,
      runSeq: event.runSeq ?? null,
      grant: event.grant ?? null,
      envelope: event.envelope ?? null,
      outcome,
      code: event.code ?? null,
      count: event.count ?? null,
    };
  }
}
