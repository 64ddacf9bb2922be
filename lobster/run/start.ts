import { MooringError } from "#base/errors/index.ts";
import { errorField } from "#base/log/index.ts";
import type { PluginRun } from "../contract.ts";
import type { BridgeSide } from "./bridge-side.ts";
import { commandOf, environmentOf, pluginFolders } from "./command.ts";
import { prepareFolders } from "./folders.ts";
import { killAll, ofUid, signalGroup } from "./kill.ts";
import { type Exited, type FarEnds, type Launched, launch } from "./launch.ts";
import type { UnitContext } from "./unit.ts";

export type RunningPlugin = {
  readonly pid: number;
  readonly exited: Promise<Exited>;
  /** SIGTERM to its group, SIGKILL after the grace, then `clear`. */
  end(): Promise<Exited>;
  /** Ends what the plugin left behind: its group and, where the uid is its own, everything of that uid; then tells the bridge. */
  clear(): Promise<void>;
};

/** Starts one run of a plugin: folders, process, descriptors to the bridge, go. When this rejects nothing of it runs. */
export async function startPlugin(run: PluginRun, runSeq: number, ctx: UnitContext): Promise<RunningPlugin> {
  const command = commandOf(run, pluginFolders(ctx.plugins, run.id), ctx.node);
  const uid = await ctx.uidOf(run.id);
  const folders = await prepareFolders(ctx.plugins, run, uid).catch((cause: unknown) => {
    throw new MooringError("PLUGIN_NOT_STARTED", `plugin ${run.id}: its folders`, { cause });
  });
  const launched = await launch({ command, env: environmentOf(run, folders, ctx.environment(run)), cwd: folders.state, uid });
  const plugin = running(run, runSeq, launched, uid, ctx);
  try {
    await Promise.all([handOver(run, runSeq, launched.farEnds, ctx.bridge), ctx.beforeGo(launched.pid, launched.exited)]);
  } catch (err) {
    signalGroup(launched.pid, "SIGKILL");
    launched.go(); // closes the agent's copies
    await plugin.clear();
    throw err;
  }
  launched.go();
  return plugin;
}

async function handOver(run: PluginRun, runSeq: number, ends: FarEnds, bridge: BridgeSide): Promise<void> {
  await Promise.all([
    bridge.attach(run.id, runSeq, run.bundle, ends.secrets),
    bridge.output(run.id, runSeq, "stdout", ends.stdout),
    bridge.output(run.id, runSeq, "stderr", ends.stderr),
  ]);
}

function running(run: PluginRun, runSeq: number, launched: Launched, uid: number | null, ctx: UnitContext): RunningPlugin {
  const { pid, exited } = launched;
  const clear = async (): Promise<void> => {
    signalGroup(pid, "SIGKILL");
    const left = await killAll(uid === null ? (one) => one.group === pid : ofUid(uid));
    if (left > 0) ctx.log.error({ plugin: run.id, runSeq, left }, "processes of a plugin would not end");
    await ctx.bridge.detach(run.id, runSeq).catch((err: unknown) => {
      if (!(err instanceof MooringError)) throw err; // a bridge that is gone has forgotten the run anyway
      ctx.log.warn({ plugin: run.id, runSeq, ...errorField(err) }, "bridge not told of the end of a run");
    });
  };
  const end = async (): Promise<Exited> => {
    signalGroup(pid, "SIGTERM");
    const cancel = new AbortController();
    await Promise.race([exited, ctx.sleep(ctx.graceMs, cancel.signal)]);
    cancel.abort();
    await clear();
    return exited;
  };
  return { pid, exited, end, clear };
}
