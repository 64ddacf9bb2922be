import { type Digest, fromBase64 } from "#base/canonical/index.ts";
import { type Clock, msOf, timeOf } from "#base/time/index.ts";
import { type Accepted, acceptRelease, type Stored } from "#proof/release/index.ts";
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

/** Accepts what is shown as the machine would, against the vault's own memory; throws what `acceptRelease` throws. No machine gets a release older than
 *  the newest that the vault knows of any (SERIAL_OLD), nor one by a trust that this one has left: neither "first contact" nor a machine that slept is a
 *  way back to a key that was rolled away. */
export function prove({ fleet, trust, store, now }: ProverOptions, shown: Shown): Accepted {
  return acceptRelease({
    now: timeOf(floorOf(store, now)),
    fleet,
    machine: shown.machine,
    stored: startOf(store, shown.machine),
    pins: { trust },
    desired: fromBase64(shown.desired, "desired"),
    proof: shown.release,
  });
}

/** What the vault holds a release for this machine against: its classes as they were, trust and serial of the newest release. One below, since the newest
 *  itself may come for another machine, too. */
function startOf(store: VaultStore, machine: MachineId): Stored | null {
  const own = store.machine(machine)?.stored ?? null;
  const { newest } = store;
  if (newest === null || own?.serial === newest.serial) return own;
  const { digest, trust } = newest.stored;
  return { classes: {}, secrets: null, ...own, serial: newest.serial - 1, digest, trust };
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
