import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { canonBytes, type Digest, digestOf } from "#base/canonical/index.ts";
import { makeFolder, readIfThere, writeDurable } from "#base/durable/index.ts";
import type { Time } from "#base/time/index.ts";
import { parseTrust, type Stored } from "#proof/release/index.ts";
import { fromBase64 } from "#base/canonical/index.ts";
import { counter, digest, type MachineId, type SignedStatement, signedStatement, time, type TrustSection } from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import { readState } from "./config.ts";

/** What the vault remembers of one machine. Serials are written before they are used, so they only grow, whatever crashes. */
export type MachineState = {
  readonly v: 1;
  /** The release the vault accepted last for this machine; its own copy, whatever hub or machine say. */
  readonly stored: Stored;
  /** When that release was signed: the vault's clock is never behind the newest of these. */
  readonly issued: Time;
  /** Statements that releases accepted for this machine ended, all of them. */
  readonly lifts: readonly Digest[];
  readonly bindingSerial: number;
  readonly leaseSerial: number;
};

const storedClass = z.strictObject({ root: digest, since: counter, gone: z.optional(z.literal(true)) });
const machineState = z.strictObject({
  v: z.literal(1),
  stored: z.strictObject({
    serial: counter,
    digest,
    trust: z.strictObject({ leaf: digest, section: z.string() }),
    classes: z.record(z.string(), storedClass),
    secrets: z.nullable(z.strictObject({ serial: counter, digest })),
  }),
  issued: time,
  lifts: z.array(digest),
  bindingSerial: counter,
  leaseSerial: counter,
});

/** The newest release any machine of the fleet was accepted with. */
export type Newest = { readonly stored: Stored; readonly serial: number; readonly issued: Time; readonly trust: TrustSection };

/** The vault's own memory: one small file for each machine and each statement, every write durable. */
export class VaultStore {
  readonly #dir: string;
  readonly #machines = new Map<MachineId, MachineState>();
  readonly #statements = new Map<Digest, SignedStatement>();
  readonly #lifted = new Set<Digest>();
  #newest: Newest | null = null;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Throws VAULT_STATE_BROKEN when a file is damaged: forgetting one would let old releases in again. */
  static async open(dir: string): Promise<VaultStore> {
    const store = new VaultStore(dir);
    for (const [name, bytes] of await filesOf(join(dir, "machines")))
      store.#remember(name as MachineId, readState(name, bytes, machineState) as MachineState);
    for (const [name, bytes] of await filesOf(join(dir, "statements")))
      store.#statements.set(`sha256:${name}`, readState(name, bytes, signedStatement));
    return store;
  }

  machine(id: MachineId): MachineState | null {
    return this.#machines.get(id) ?? null;
  }

  get newest(): Newest | null {
    return this.#newest;
  }

  /** Statements that an accepted release ended, for whichever machine it was accepted: it speaks for the fleet. */
  get lifted(): ReadonlySet<Digest> {
    return this.#lifted;
  }

  /** Statements by the digest of what was signed. */
  get statements(): ReadonlyMap<Digest, SignedStatement> {
    return this.#statements;
  }

  async saveMachine(id: MachineId, state: MachineState): Promise<void> {
    await writeDurable(join(this.#dir, "machines", `${id}.json`), canonBytes(state));
    this.#remember(id, state);
  }

  async addStatement(signed: SignedStatement): Promise<Digest> {
    const id = digestOf(fromBase64(signed.bytes, "statement"));
    await writeDurable(join(this.#dir, "statements", `${id.slice(7)}.json`), canonBytes(signed));
    this.#statements.set(id, signed);
    return id;
  }

  #remember(id: MachineId, state: MachineState): void {
    this.#machines.set(id, state);
    for (const lift of state.lifts) this.#lifted.add(lift);
    if (this.#newest !== null && this.#newest.serial >= state.stored.serial) return;
    const trust = parseTrust(fromBase64(state.stored.trust.section, "stored trust")).section;
    this.#newest = { stored: state.stored, serial: state.stored.serial, issued: state.issued, trust };
  }
}

async function filesOf(folder: string): Promise<(readonly [string, Uint8Array])[]> {
  await makeFolder(folder);
  const out: (readonly [string, Uint8Array])[] = [];
  for (const name of (await readdir(folder)).filter((name) => name.endsWith(".json")).sort()) {
    const bytes = await readIfThere(join(folder, name));
    if (bytes !== null) out.push([name.slice(0, -".json".length), bytes]);
  }
  return out;
}
