import type { Digest } from "#base/canonical/index.ts";
import { digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { timeOf } from "#base/time/index.ts";
import type { BridgeState } from "#bridge/client/ipc.ts";
import { LOCKED, SODIUM_CHACHA } from "#bridge/memory.ts";
import type { AuditEvent } from "#bridge/log/index.ts";
import { SECRET_REF } from "#schemas/wire/index.ts";
import type { Cleartext } from "#seal/cleartext/index.ts";
import type { Ecdh } from "#seal/hpke/index.ts";
import { openEnvelope } from "#seal/envelope/index.ts";
import type { MachineAudit } from "./audit.ts";
import { decide, findGrant, type Facts, type Verdict } from "./decide.ts";
import { envelopeDigest, type EnvelopeStore } from "./envelopes.ts";
import type { TimeFloor } from "./floor.ts";
import type { LeaseStore } from "./lease.ts";
import { type Answer, MAX_VALUE, type Refusal } from "./link.ts";
import type { Run } from "./run.ts";

export type SecretsOptions = {
  readonly kx: string;
  readonly point: Uint8Array;
  readonly ecdh: Ecdh;
  readonly audit: MachineAudit;
  readonly floor: TimeFloor;
  readonly envelopes: EnvelopeStore;
  readonly lease: LeaseStore;
  readonly state: () => BridgeState | null;
  readonly onUse: (run: Run, ref: string, outcome: "delivered" | "refused", code: string | null) => void;
};

/** Answers requests of runs: decide, log, open, hand over, zero; in that order. */
export class Secrets {
  readonly #options: SecretsOptions;
  readonly key: Digest;

  constructor(options: SecretsOptions) {
    this.#options = options;
    this.key = digestOf(options.kx);
  }

  facts(): Facts {
    const { state, lease, envelopes, floor } = this.#options;
    return {
      state: state(),
      key: this.key,
      lease: lease.current,
      envelopes: (subject, ref) => envelopes.of(subject, ref),
      now: floor.now(),
    };
  }

  async answer(run: Run, ref: string): Promise<Answer> {
    const verdict = this.#decide(run, ref);
    if (verdict.at === "deny") return await this.#refuse(run, ref, verdict, verdict.code, verdict.retry);
    try {
      await this.#options.audit.write({ ...about(run, ref, verdict), op: "secret.open", outcome: "ok" });
    } catch (err) {
      return this.#failed(run, ref, err);
    }
    const after = this.#decide(run, ref); // the log took its time: a revocation may have come
    if (after.at === "deny") return await this.#refuse(run, ref, verdict, after.code, after.retry);
    return await this.#open(run, ref, verdict);
  }

  async #open(run: Run, ref: string, verdict: Extract<Verdict, { readonly at: "open" }>): Promise<Answer> {
    const { ecdh, point } = this.#options;
    let clear: Cleartext;
    try {
      clear = await openEnvelope(verdict.envelope, ecdh, point, LOCKED, SODIUM_CHACHA);
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      return await this.#refuse(run, ref, verdict, err.code, err.disposition === "wait" || err.disposition === "retry");
    }
    if (clear.sizeBytes <= MAX_VALUE) return { deliver: (write) => this.#deliver(run, ref, clear, write) };
    clear.drop();
    return await this.#refuse(run, ref, verdict, "SECRET_TOO_LARGE", false);
  }

  async #deliver(run: Run, ref: string, clear: Cleartext, write: (bytes: Uint8Array) => Promise<boolean>): Promise<boolean> {
    const isOut = await clear.reveal(async (bytes) => {
      run.redactor.add(bytes);
      return await write(bytes);
    });
    if (isOut) this.#holds(run, ref);
    this.#options.onUse(run, shown(ref), isOut ? "delivered" : "refused", isOut ? null : "DEADLINE_PASSED");
    return isOut;
  }

  /** A revocation that came while the value was on its way is told at once. */
  #holds(run: Run, ref: string): void {
    const state = this.#options.state();
    const isGranted = state !== null && !("at" in findGrant(run.plugin, ref, state, this.key, this.#options.floor.now()));
    if (isGranted) run.holds.add(ref);
    else run.link?.revoked(ref);
  }

  #decide(run: Run, ref: string): Verdict {
    if (run.bundle === null) return { at: "deny", code: "SECRET_NOT_GRANTED", retry: false, grant: null };
    return decide({ plugin: run.plugin, bundle: run.bundle, ref }, this.facts());
  }

  async #refuse(run: Run, ref: string, verdict: Verdict, code: string, retry: boolean): Promise<Refusal> {
    await this.#options.audit.deny(run.plugin, {
      ...about(run, ref, verdict),
      op: "secret.deny",
      outcome: verdict.at === "deny" ? "denied" : "failed",
      code,
    });
    this.#options.onUse(run, shown(ref), "refused", code);
    return { code, message: `${shown(ref)} at ${timeOf(this.#options.floor.now())}`, retry };
  }

  /** The log would not take the entry: nothing is opened, and there is nowhere to write that. */
  #failed(run: Run, ref: string, err: unknown): Refusal {
    if (!(err instanceof MooringError)) throw err;
    this.#options.onUse(run, shown(ref), "refused", err.code);
    return { code: err.code, message: shown(ref), retry: true };
  }
}

/** A ref as it may be logged: what is no ref is whatever a plugin wrote, so it is left out. */
function shown(ref: string): string {
  return SECRET_REF.test(ref) ? ref : "(not a secret's name)";
}

function about(run: Run, ref: string, verdict: Verdict): Omit<AuditEvent, "op" | "outcome"> {
  return {
    plugin: run.plugin,
    bundle: run.bundle,
    runSeq: run.runSeq,
    ref: SECRET_REF.test(ref) ? ref : null,
    grant: verdict.grant?.section.name ?? null,
    version: verdict.at === "open" ? verdict.binding.version : null,
    envelope: verdict.at === "open" ? envelopeDigest(verdict.envelope) : null,
  };
}
