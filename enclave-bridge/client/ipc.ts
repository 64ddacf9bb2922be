import type { Digest } from "#base/canonical/index.ts";
import type { Problem } from "#base/errors/print.ts";
import type { Time } from "#base/time/index.ts";
import type {
  BindingsAnswer,
  Envelope,
  FleetId,
  GrantSection,
  MachineId,
  PluginId,
  SecretSection,
  SignedLease,
  VaultKey,
} from "#schemas/wire/index.ts";

/** What the agent tells the bridge after every accepted release, switch or statement: proven facts only. The bridge hands out nothing that is
 *  not in the last state it was given; before the first one it hands out nothing. */
export type BridgeState = {
  readonly fleet: FleetId;
  readonly machine: MachineId;
  readonly incarnation: number;
  readonly releaseSerial: number;
  readonly vaultKeys: readonly VaultKey[];
  /** Grants of the accepted release, each with its leaf. */
  readonly grants: readonly { readonly leaf: Digest; readonly section: GrantSection }[];
  readonly secrets: readonly SecretSection[];
  /** Plugins of the current generation: the bundle that a run of this id must carry. */
  readonly plugins: readonly { readonly id: PluginId; readonly bundle: Digest }[];
  /** Revoked by a verified statement, until a release lifts it. */
  readonly revoked: { readonly secrets: readonly string[]; readonly plugins: readonly string[]; readonly machine: boolean };
  /** Plugins whose tree is drifted right now: nothing is handed to them. */
  readonly withheld: readonly PluginId[];
  /** Latest signed time the agent has seen; with the monotonic clock it is the floor of "now". */
  readonly floor: Time;
};

/** Agent → bridge over the fork's IPC channel. `id` pairs a request with its reply. A handle (socket) rides along where it says so. */
export type ToBridge =
  | { readonly t: "state"; readonly id: number; readonly state: BridgeState }
  /** + handle: the far end of the plugin's fd 3. Sent before the plugin runs its first instruction. */
  | { readonly t: "attach"; readonly id: number; readonly plugin: PluginId; readonly runSeq: number; readonly bundle: Digest }
  /** + handle: the far end of the plugin's stdout or stderr. */
  | { readonly t: "output"; readonly id: number; readonly plugin: PluginId; readonly runSeq: number; readonly stream: "stdout" | "stderr" }
  | { readonly t: "detach"; readonly id: number; readonly plugin: PluginId; readonly runSeq: number }
  | { readonly t: "bindings"; readonly id: number; readonly envelopes: readonly Envelope[]; readonly tombstones: readonly string[] }
  | { readonly t: "lease"; readonly id: number; readonly lease: SignedLease }
  /** Opens the file key of a bundle pack sealed to this machine. The bridge fixes `info` to mooring/pack/v1, so it opens no secret. All base64. */
  | { readonly t: "unwrap"; readonly id: number; readonly enc: string; readonly aad: string; readonly ct: string }
  /** Signs "mooring/attest/v1\n" ‖ bytes with the machine's sig key (r‖s). base64. */
  | { readonly t: "sign"; readonly id: number; readonly bytes: string };

/** Bridge → agent. */
export type FromBridge =
  | { readonly t: "ready"; readonly kx: string; readonly sig: string; readonly treeSize: number }
  | { readonly t: "reply"; readonly id: number; readonly ok: true; readonly value: BridgeValue }
  | { readonly t: "reply"; readonly id: number; readonly ok: false; readonly problem: Problem }
  /** One line of a plugin's output, already redacted. */
  | { readonly t: "line"; readonly plugin: PluginId; readonly runSeq: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  /** A secret was handed out or refused (the audit log has it already). */
  | {
      readonly t: "use";
      readonly plugin: PluginId;
      readonly ref: string;
      readonly outcome: "delivered" | "refused";
      readonly code: string | null;
    };

export type BridgeValue = null | BindingsAnswer | { readonly bytes: string };
