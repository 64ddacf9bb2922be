import type { Digest, Json } from "#base/canonical/index.ts";
import type { PluginId, RunSpec } from "#schemas/wire/index.ts";

/** One plugin as the current generation has it, ready to run. */
export type PluginRun = {
  readonly id: PluginId;
  readonly version: string;
  readonly bundle: Digest;
  /** Absolute path of its tree in the current generation. */
  readonly tree: string;
  /** Entry file inside the tree, from the manifest. */
  readonly main: string;
  readonly run: RunSpec;
  readonly config: Json;
};

export type PluginState = {
  readonly id: PluginId;
  readonly version: string;
  readonly state: "running" | "starting" | "stopped" | "backing-off" | "failed" | "withheld";
  readonly pid: number | null;
  readonly runSeq: number;
  readonly restarts: number;
  readonly health: "healthy" | "unhealthy" | "unknown";
  readonly since: number;
  /** How its last run ended, null before the first end; `openclaw-lobster run` exits with that code. */
  readonly lastExit: { readonly runSeq: number; readonly code: number | null; readonly signal: string | null } | null;
};

/** Runs plugins; knows nothing of releases. Level-triggered: `want` is the whole list each time. */
export type Supervisor = {
  /** Starts what is new or changed (other tree, bundle, run or config), stops what is gone, leaves the rest alone. Resolves when every plugin of the list is
   *  alive (`run.restart` keeps it so from then on) or has failed its first start; the answer names the failed ones. */
  want(runs: readonly PluginRun[]): Promise<{ readonly failed: readonly PluginId[] }>;
  states(): readonly PluginState[];
  restart(id: PluginId, reason: string): Promise<void>;
  /** Stops a plugin and keeps it stopped until `release`: its tree is drifted, or a person said so. */
  hold(id: PluginId, reason: string): Promise<void>;
  release(id: PluginId): Promise<void>;
  /** Redacted lines of one plugin from `afterSeq` on (a bounded ring in memory), then live ones. */
  follow(
    id: PluginId,
    onLine: (line: { readonly seq: number; readonly stream: "stdout" | "stderr"; readonly text: string }) => void,
  ): () => void;
  stop(): Promise<void>;
};

export type SupervisorEvent =
  | { readonly kind: "plugin.started"; readonly id: PluginId; readonly runSeq: number; readonly version: string }
  | {
      readonly kind: "plugin.exited";
      readonly id: PluginId;
      readonly runSeq: number;
      readonly code: number | null;
      readonly signal: string | null;
    }
  | { readonly kind: "plugin.failed"; readonly id: PluginId; readonly restarts: number };

/** What the supervisor asks before each start: the tree is re-hashed against its signed list. A run whose tree is not whole does not start. */
export type BeforeStart = (run: PluginRun) => Promise<boolean>;

/** Where things lie under the agent's root folder; every path is absolute. */
export type Layout = {
  readonly root: string;
  readonly pins: string; // etc/pins.json, root-owned
  readonly state: string; // state/: accepted release, epoch, events, statements, applies
  readonly content: string; // content/: blobs by digest, verified bundles
  readonly generations: string; // generations/<n>/, and the link `current`
  readonly bridge: string; // bridge/: keys, envelopes, lease, log; owned by the bridge's uid
  readonly run: string; // run/: agent.sock, admin.sock, egress.sock
  readonly plugins: string; // plugins/<id>/: the plugin's own writable state, owned by its uid
  readonly bin: string; // bin/: the stdio launcher
};

/** Which uids the machine's processes run under; null = all as the agent itself (needs --insecure-one-uid). */
export type Uids = {
  readonly bridge: number;
  readonly egress: number;
  /** First of a range of `pluginCount` uids, one per plugin, never reused while a file of it exists. */
  readonly pluginFirst: number;
  readonly pluginCount: number;
  /** Group that may open agent.sock (the account sshd logs in). */
  readonly sshGid: number;
};

/** A bundle as the agent keeps it after verification. */
export type HeldBundle = {
  readonly bundle: Digest;
  readonly tree: Digest;
  readonly main: string;
  readonly files: readonly (readonly [path: string, mode: number, size: number, sha256: Digest])[];
};
