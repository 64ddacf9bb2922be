import type { Digest } from "#base/canonical/index.ts";
import { machineRoot } from "#proof/root/index.ts";
import type { Holds, KnownRelease, SignedSecrets } from "#proof/release/index.ts";
import type { GrantSection, MachineId, PluginSection, SecretSection } from "#schemas/wire/index.ts";
import { desiredOf, type Resolved, type Roots } from "../desired/index.ts";
import type { Branch, Target } from "../revision/index.ts";

/** What every machine is brought to: one released revision with all that proves it. */
export type FleetTarget = {
  readonly revision: string;
  readonly resolved: Resolved;
  readonly roots: Roots;
  readonly head: KnownRelease;
  readonly secrets: SignedSecrets | null;
  readonly branch: Branch;
  /** Bytes of an age file of that revision, by digest. */
  readonly ageFile: (digest: Digest) => Promise<Uint8Array>;
};

/** One machine's part of it, derived once a run. Null when the revision has no such machine. */
export type MachineTarget = {
  readonly name: MachineId;
  readonly root: Digest;
  readonly index: readonly (readonly [string, Digest])[];
  readonly desired: Uint8Array;
  readonly kx: string;
  readonly mode: "observe" | "manage";
  readonly plugins: readonly PluginSection[];
  readonly grants: readonly GrantSection[];
  readonly secrets: readonly SecretSection[];
};

export function machineTarget(target: FleetTarget, name: MachineId): MachineTarget | null {
  const machine = target.resolved.machines.get(name);
  if (machine === undefined) return null;
  const identity = machine.sections.find((section) => section.kind === "identity");
  if (identity === undefined) throw new Error("a resolved machine has an identity");
  return {
    name,
    root: machineRoot(target.resolved.fleet, name, machine.index),
    index: machine.index,
    desired: desiredOf(target.resolved, name).bytes,
    kx: identity.kx,
    mode: identity.mode,
    plugins: machine.sections.filter((section): section is PluginSection => section.kind === "plugin"),
    grants: machine.sections.filter((section): section is GrantSection => section.kind === "grant"),
    secrets: machine.sections.filter((section): section is SecretSection => section.kind === "secret"),
  };
}

/** The target of a selection. */
export function fleetTarget({ outcome, cover }: Target, branch: Branch, ageFile: FleetTarget["ageFile"]): FleetTarget {
  return {
    revision: outcome.revision,
    resolved: outcome.resolved,
    roots: outcome.roots,
    head: cover.head,
    secrets: cover.secrets,
    branch,
    ageFile,
  };
}

/** What a machine stands on, as its hello says: the release it accepted, or its pin. */
export function holdsOf(hello: { readonly trust: Digest; readonly release: { readonly serial: number } | null }): Holds {
  return hello.release === null ? { pin: hello.trust } : { trust: hello.trust, serial: hello.release.serial };
}
