import type { Socket } from "node:net";
import type { Digest } from "#base/canonical/index.ts";
import type { PluginId } from "#schemas/wire/index.ts";

/** What the supervisor needs of the bridge. Each call resolves when the bridge holds the descriptor, and only then may the plugin run. */
export type BridgeSide = {
  /** Hands over the far end of the plugin's fd 3. */
  attach(plugin: PluginId, runSeq: number, bundle: Digest, socket: Socket): Promise<void>;
  /** Hands over the far end of the plugin's stdout or stderr. */
  output(plugin: PluginId, runSeq: number, stream: "stdout" | "stderr", socket: Socket): Promise<void>;
  /** This run is over: nothing more is delivered to it. */
  detach(plugin: PluginId, runSeq: number): Promise<void>;
};
