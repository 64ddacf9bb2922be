import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { MooringError } from "#base/errors/index.ts";
import type { Log } from "#base/log/index.ts";
import { type Clock, sleep } from "#base/time/index.ts";
import type { PluginId } from "#schemas/wire/index.ts";
import type { BeforeStart, Layout, PluginRun, Supervisor, SupervisorEvent, Uids } from "../contract.ts";
import type { BridgeSide } from "./bridge-side.ts";
import { killLeftovers, noteRuns } from "./leftovers.ts";
import { openUidBook } from "./uids.ts";
import { Unit, type UnitContext } from "./unit.ts";

export type SupervisorOptions = {
  readonly bridge: BridgeSide;
  /** null = every plugin under the agent's own uid (`--insecure-one-uid`). */
  readonly uids: Uids | null;
  readonly layout: Layout;
  readonly beforeStart: BeforeStart;
  readonly onEvent: (event: SupervisorEvent) => void;
  readonly clock: Clock;
  /** 0 ≤ r < 1, for the jitter of the back-off. */
  readonly rng: () => number;
  readonly log: Log;
  /** Added to a plugin's environment, such as where its proxy listens. */
  readonly environment?: (run: PluginRun) => Readonly<Record<string, string>>;
  /** How long a plugin may take from SIGTERM to its end. */
  readonly graceMs?: number;
  /** A plugin that lives this long after its start counts as alive. */
  readonly settleMs?: number;
  /** Waits; tests pass their own. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** The Node that runs plugins; the agent's own unless named. */
  readonly node?: string;
};

export type PluginSupervisor = Supervisor & {
  /** A redacted line of a plugin's output, from the bridge. Lines of unknown plugins are dropped. */
  onLine(line: { readonly plugin: PluginId; readonly stream: "stdout" | "stderr"; readonly text: string }): void;
};

/** Runs plugins. Before it resolves, what a crashed agent left running is ended. */
export async function createSupervisor(options: SupervisorOptions): Promise<PluginSupervisor> {
  const { layout, uids } = options;
  const notes = join(layout.run, "plugins.json");
  const book = uids === null ? null : await openUidBook(join(layout.state, "uids.json"), layout.plugins, uids);
  const left = await killLeftovers(book === null ? { file: notes } : { uids: book.all() });
  if (left > 0) options.log.error({ left }, "processes of an earlier agent would not end");

  const units = new Map<PluginId, Unit>();
  const held = new Set<PluginId>();
  const ctx: UnitContext = {
    environment: () => ({}),
    graceMs: 5_000,
    settleMs: 250,
    sleep,
    node: process.execPath,
    ...options,
    plugins: layout.plugins,
    uidOf: async (id) => (book === null ? null : book.of(id)),
    ...notesOf(book === null ? notes : null, () => [...units.values()].flatMap((unit) => unit.pid ?? [])),
  };
  return supervisorOf(units, held, ctx);
}

/** Keeps the notes that `killLeftovers` reads where uids can't tell whose process it was; nothing to do where they can (`file` null). */
function notesOf(file: string | null, running: () => readonly number[]): Pick<UnitContext, "beforeGo" | "onRunsChanged"> {
  if (file === null) return { beforeGo: async () => undefined, onRunsChanged: async () => undefined };
  const starting = new Set<number>();
  const note = inTurns(() => noteRuns(file, [...running(), ...starting]));
  return {
    onRunsChanged: note,
    beforeGo: async (pid, exited) => {
      starting.add(pid);
      void exited.then(() => starting.delete(pid)); // a pid is used again by others
      await note();
    },
  };
}

/** `work`, one call after the other. */
function inTurns<T>(work: () => Promise<T>): () => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return () => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined); // `mine` carries the error to its caller
    return mine;
  };
}

function supervisorOf(units: Map<PluginId, Unit>, held: Set<PluginId>, ctx: UnitContext): PluginSupervisor {
  let turn: Promise<unknown> = Promise.resolve();
  const want = async (runs: readonly PluginRun[]): Promise<{ readonly failed: readonly PluginId[] }> => {
    const wanted = new Set(runs.map((run) => run.id));
    const gone = [...units.keys()].filter((id) => !wanted.has(id));
    const stops = gone.map(async (id) => {
      await units.get(id)?.stop();
      units.delete(id);
    });
    const starts = runs.map(async (run) => ((await wantOne(units, held, run, ctx)) ? [] : [run.id]));
    await Promise.all(stops);
    return { failed: (await Promise.all(starts)).flat() };
  };
  return {
    want(runs) {
      refuseUnbuilt(runs);
      const mine = turn.then(() => want(runs));
      turn = mine.catch(() => undefined); // `mine` carries the error to its caller
      return mine;
    },
    states: () => [...units.values()].map((unit) => unit.state()),
    async restart(id, reason) {
      const unit = unitOf(units, id);
      ctx.log.info({ plugin: id, reason }, "plugin restarts");
      await unit.begin(unit.run);
    },
    async hold(id, reason) {
      held.add(id);
      ctx.log.warn({ plugin: id, reason }, "plugin held");
      await units.get(id)?.hold();
    },
    async release(id) {
      held.delete(id);
      await units.get(id)?.release();
    },
    follow: (id, onLine) => unitOf(units, id).ring.follow(onLine),
    onLine: ({ plugin, stream, text }) => units.get(plugin)?.ring.push(stream, text),
    async stop() {
      await Promise.all([...units.values()].map((unit) => unit.stop()));
      units.clear();
    },
  };
}

/** Whether `run` is alive now, or held. */
async function wantOne(units: Map<PluginId, Unit>, held: ReadonlySet<PluginId>, run: PluginRun, ctx: UnitContext): Promise<boolean> {
  const unit = units.get(run.id) ?? new Unit(run, ctx, held.has(run.id));
  const isNew = !units.has(run.id);
  units.set(run.id, unit);
  if (isNew || unit.isWithheld || !isDeepStrictEqual(unit.run, run)) return unit.begin(run);
  return unit.state().state !== "failed";
}

function unitOf(units: ReadonlyMap<PluginId, Unit>, id: PluginId): Unit {
  const unit = units.get(id);
  if (unit === undefined) throw new MooringError("PLUGIN_UNKNOWN", `plugin ${id} is not in the current generation`);
  return unit;
}

function refuseUnbuilt(runs: readonly PluginRun[]): void {
  for (const run of runs) {
    if (run.run.mode === "gateway")
      throw new MooringError("NOT_YET", `plugin ${run.id}: run.mode gateway`, { fix: "use run.mode lobster" });
  }
}
