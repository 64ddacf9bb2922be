import { once } from "node:events";
import { MooringError } from "#base/errors/index.ts";
import { type Log, lineLog } from "#base/log/index.ts";
import { forkBridge } from "#bridge/client/index.ts";
import type { Pins } from "#schemas/wire/index.ts";
import type { Layout, Uids } from "../contract.ts";
import { egressSocket, readPins, unpackUid } from "../init/index.ts";
import { closeInherited, createSupervisor } from "../run/index.ts";
import { type AgentOptions, startAgent } from "../serve/index.ts";
import { VERSION } from "../version.ts";
import { keepEgress } from "./egress.ts";
import type { Entries } from "./entries.ts";

/** For every Node process of ours: no debugger by a signal, no environment in a crash report. */
const NODE_FLAGS = ["--disable-sigusr1", "--report-exclude-env"] as const;

/** `serve`: the agent with its bridge, egress and plugins, until SIGTERM or SIGINT. Answers the exit code. */
export async function serve(layout: Layout, uids: Uids | null, entries: Entries): Promise<number> {
  closeInherited();
  process.umask(0o022);
  const pins = await readPins(layout.pins);
  if (pins === null) throw new MooringError("PINS_REFUSED", `${layout.pins}: no such file`, { fix: "run `openclaw-lobster init` first" });
  const log = lineLog((line) => process.stdout.write(line), Date.now, { room: "lobster" });
  if (uids === null) log.warn({}, "one uid for everything: plugins can read the bridge's keys; for a try-out only");
  const agent = await startAgent(agentOptions(layout, uids, pins, entries, log));
  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  log.info({}, "agent stops");
  await agent.stop();
  return 0;
}

function agentOptions(layout: Layout, uids: Uids | null, pins: Pins, entries: Entries, log: Log): AgentOptions {
  return {
    layout,
    pins,
    uids,
    version: VERSION,
    clock: Date.now,
    log,
    startBridge: (hooks) =>
      forkBridge({
        entry: entries.bridge,
        dir: layout.bridge,
        allowSoftwareKeys: pins.allowSoftwareKeys,
        uid: uids?.bridge,
        gid: uids?.bridge,
        execArgv: NODE_FLAGS,
        ...hooks,
      }),
    startSupervisor: (deps) => createSupervisor({ ...deps, uids, layout, clock: Date.now, rng: Math.random, log }),
    startEgress: () =>
      keepEgress({ entry: entries.egress, socket: egressSocket(layout), uid: uids?.egress ?? null, execArgv: NODE_FLAGS, log }),
    unpack: {
      exec: process.execPath,
      args: [...NODE_FLAGS, entries.unpack],
      ...(uids === null ? {} : { uid: unpackUid(uids), gid: unpackUid(uids) }),
    },
  };
}
