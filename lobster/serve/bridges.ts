import type { BridgeClient, PluginLine } from "#bridge/client/index.ts";
import { errorField } from "#base/log/index.ts";
import { backoffMs, sleep } from "#base/time/index.ts";
import type { AgentOptions, BridgeSide } from "./options.ts";

export type Bridges = { readonly current: () => BridgeClient; readonly stop: () => Promise<void> };

/** Keeps a bridge running: one that ends is started anew, with back-off, and `onNew` brings it up to date. */
export function keepBridge(
  options: Pick<AgentOptions, "startBridge" | "log">,
  hooks: { readonly onLine: (line: PluginLine) => void; readonly onNew: (bridge: BridgeClient) => Promise<void> },
): Bridges {
  const stopping = new AbortController();
  let tries = 0;
  const start = (): BridgeClient =>
    options.startBridge({
      onLine: hooks.onLine,
      onUse: ({ plugin, ref, outcome, code }) => options.log.info({ plugin, ref, outcome, code }, "secret asked for"),
      onExit: ({ code, signal }) => {
        if (stopping.signal.aborted) return;
        options.log.error({ code, signal }, "the bridge ended; it is started anew");
        void restart();
      },
    });
  const restart = async (): Promise<void> => {
    tries += 1;
    await sleep(backoffMs(tries, { baseMs: 200, maxMs: 30_000 }, 0.5), stopping.signal);
    if (stopping.signal.aborted) return;
    current = start();
    try {
      await hooks.onNew(current);
      tries = 0;
    } catch (err) {
      options.log.error(errorField(err), "the new bridge did not come up"); // its own exit brings the next try
    }
  };
  let current = start();
  return {
    current: () => current,
    stop: async () => {
      stopping.abort();
      await current.close();
    },
  };
}

/** The newest bridge, as the supervisor talks to it. */
export function sideOf(current: () => BridgeClient): BridgeSide {
  return {
    attach: (...args) => current().attach(...args),
    output: (...args) => current().output(...args),
    detach: (...args) => current().detach(...args),
  };
}
