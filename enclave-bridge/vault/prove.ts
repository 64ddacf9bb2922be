import { type Digest, fromBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Clock, msOf, timeOf } from "#base/time/index.ts";
import { type Accepted, acceptRelease } from "#proof/release/index.ts";
import type { FleetId, MachineId, ReleaseProof } from "#schemas/wire/index.ts";
import type { MachineState, VaultStore } from "./store.ts";

/** What a hub main shows the vault; nothing of it is believed. */
export type Shown = { readonly machine: MachineId; readonly desired: string; readonly release: ReleaseProof };

export type ProverOptions = { readonly fleet: FleetId; readonly trust: Digest; readonly store: VaultStore; readonly now: Clock };

/** How many serials a request will use; they are written down before it goes on. */
export type Reserve = { readonly bindings: number };

/** Milliseconds since 1970, never before the newest accepted release was signed: a clock set back extends nothing. */
export function floorOf(store: VaultStore, now: Clock): number {
  return Math.max(now(), store.newest === null ? 0 : msOf(store.newest.issued));
}

/** Accepts what is shown exactly as the machine would, against the vault's own memory; throws what `acceptRelease` throws. A machine the
 *  vault has never seen gets no release older than the newest it knows (SERIAL_OLD): "first contact" is not a way back. */
export function prove({ fleet, trust, store, now }: ProverOptions, shown: Shown): Accepted {
  const known = store.machine(shown.machine);
  const accepted = acceptRelease({
    now: timeOf(floorOf(store, now)),
    fleet,
    machine: shown.machine,
    stored: known?.stored ?? null,
    pins: { trust },
    desired: fromBase64(shown.desired, "desired"),
    proof: shown.release,
  });
  const newest = store.newest;
  if (known === null && newest !== null && accepted.head.serial < newest.serial)
    throw new MooringError("SERIAL_OLD", `release ${accepted.head.serial} for a new machine`, { have: newest.serial });
  return accepted;
}

/** Writes down the accepted release and the serials the request will use. Gives the state before: its serials + 1 are the first to use. */
export async function remember(store: VaultStore, machine: MachineId, accepted: Accepted, reserve: Reserve): Promise<MachineState> {
  const before = store.machine(machine);
  const lifts = [...new Set([...(before?.lifts ?? []), ...accepted.head.lifts])].sort();
  const base: MachineState = {
    v: 1,
    stored: accepted.after,
    issued: accepted.head.issued,
    lifts,
    bindingSerial: before?.bindingSerial ?? 0,
    leaseSerial: before?.leaseSerial ?? 0,
  };
  await store.saveMachine(machine, { ...base, bindingSerial: base.bindingSerial + reserve.bindings, leaseSerial: base.leaseSerial + 1 });
  return base;
}
