import type { BridgeClient, BridgeExit, PluginLine, SecretUse } from "#bridge/client/index.ts";
import type { Log } from "#base/log/index.ts";
import type { Clock } from "#base/time/index.ts";
import type { UnpackCommand } from "#bundle/read/index.ts";
import type { BeforeStart, Layout, Supervisor, SupervisorEvent, Uids } from "#lobster/contract.ts";
import type { Pins } from "#schemas/wire/index.ts";
import type { WatchTimes } from "../watch/index.ts";

/** The bridge as the supervisor sees it: the one that runs now. */
export type BridgeSide = Pick<BridgeClient, "attach" | "output" | "detach">;

export type BridgeHooks = {
  readonly onLine: (line: PluginLine) => void;
  readonly onUse: (use: SecretUse) => void;
  readonly onExit: (exit: BridgeExit) => void;
};

export type RunningSupervisor = Supervisor & { onLine(line: PluginLine): void };

export type AgentOptions = {
  readonly layout: Layout;
  readonly pins: Pins;
  readonly uids: Uids | null;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly startBridge: (hooks: BridgeHooks) => BridgeClient;
  readonly startSupervisor: (deps: {
    readonly bridge: BridgeSide;
    readonly beforeStart: BeforeStart;
    readonly onEvent: (event: SupervisorEvent) => void;
  }) => Promise<RunningSupervisor>;
  /** Null where no egress process is wanted. */
  readonly startEgress: (() => Promise<{ readonly stop: () => Promise<void> }>) | null;
  /** How the unprivileged child that parses archives is started. */
  readonly unpack: UnpackCommand;
  readonly watch?: WatchTimes;
};
