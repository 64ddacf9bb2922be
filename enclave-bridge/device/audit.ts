import { join } from "node:path";
import { MooringError } from "#base/errors/index.ts";
import { fromBase64 } from "#base/canonical/index.ts";
import type { BridgeState } from "#bridge/client/ipc.ts";
import { type AuditEvent, type AuditLog, ecdsaSigner, openLog } from "#bridge/log/index.ts";
import { Budget } from "./budget.ts";

/** Refusals of one plugin written one by one; then one a minute, with how many came between: a hostile plugin cannot fill the disk. */
const DENIALS = { burst: 20, perSecond: 1 / 60 };

export type AuditOptions = {
  readonly dir: string;
  /** base64 SPKI DER of the signing key. */
  readonly sig: string;
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
  readonly now: () => number;
  readonly mono: () => number;
};

/** The machine's log. Its origin names the machine, so it is opened with the first state, before which there is nothing to log. */
export class MachineAudit {
  readonly #options: AuditOptions;
  readonly #denials = new Map<string, { readonly budget: Budget; suppressed: number }>();
  #log: AuditLog | null = null;
  #machine: string | null = null;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  async open(state: BridgeState): Promise<void> {
    const origin = `mooring/${state.fleet}/${state.machine}/${state.incarnation}`;
    if (this.#log !== null) {
      if (this.#log.origin !== origin)
        throw new MooringError("BRIDGE_STATE_REFUSED", `state of ${origin}`, { why: `this bridge serves ${this.#log.origin}` });
      return;
    }
    const { dir, sig, sign, now } = this.#options;
    const signer = ecdsaSigner(origin, fromBase64(sig, "signing key"), sign);
    this.#log = await openLog({ dir: join(dir, "log"), origin, signer, now });
    this.#machine = state.machine;
    await this.write({ op: "log.open", outcome: "ok" });
  }

  /** Resolves when the entry is durable; rejects with AUDIT_UNAVAILABLE. */
  async write(event: AuditEvent): Promise<void> {
    if (this.#log === null) throw new MooringError("AUDIT_UNAVAILABLE", "audit log", { why: "there is no state yet, so no log" });
    await this.#log.append({ machine: this.#machine, ...event });
  }

  /** A refusal: written, or counted when this plugin had too many. Never throws because the log can't be written. */
  async deny(plugin: string, event: AuditEvent): Promise<void> {
    const mono = this.#options.mono();
    const entry = this.#denials.get(plugin) ?? { budget: new Budget(DENIALS.burst, DENIALS.perSecond, mono), suppressed: 0 };
    this.#denials.set(plugin, entry);
    if (!entry.budget.take(mono)) {
      entry.suppressed += 1;
      return;
    }
    const count = entry.suppressed;
    entry.suppressed = 0;
    await this.#writeOrSkip({ ...event, plugin, ...(count === 0 ? {} : { count }) });
  }

  /** Writes how many refusals of a plugin were only counted. */
  async settle(plugin: string): Promise<void> {
    const entry = this.#denials.get(plugin);
    if (entry === undefined || entry.suppressed === 0) return;
    const count = entry.suppressed;
    entry.suppressed = 0;
    await this.#writeOrSkip({ op: "secret.suppressed", outcome: "denied", plugin, count });
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }

  async #writeOrSkip(event: AuditEvent): Promise<void> {
    try {
      await this.write(event);
    } catch (err) {
      if (!(err instanceof MooringError)) throw err; // disk full, key locked: nothing is handed out, so nothing is lost but the entry
    }
  }
}
