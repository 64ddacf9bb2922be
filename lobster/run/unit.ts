import { MooringError } from "#base/errors/index.ts";
import { errorField, type Log } from "#base/log/index.ts";
import type { Clock } from "#base/time/index.ts";
import type { BeforeStart, PluginRun, PluginState, SupervisorEvent } from "../contract.ts";
import type { BridgeSide } from "./bridge-side.ts";
import type { Exited } from "./launch.ts";
import { afterExit, type History, NO_HISTORY } from "./policy.ts";
import { Ring } from "./ring.ts";
import { type RunningPlugin, startPlugin } from "./start.ts";

type Phase =
  | { readonly at: "stopped" | "starting" | "failed" | "withheld" }
  | { readonly at: "running"; readonly runSeq: number; readonly plugin: RunningPlugin; readonly startedAt: number }
  | { readonly at: "backing-off"; readonly cancel: AbortController };

export type UnitContext = {
  readonly bridge: BridgeSide;
  readonly plugins: string;
  readonly node: string;
  readonly uidOf: (id: string) => Promise<number | null>;
  readonly beforeStart: BeforeStart;
  readonly environment: (run: PluginRun) => Readonly<Record<string, string>>;
  readonly onEvent: (event: SupervisorEvent) => void;
  /** Called with the process that is about to become a plugin; MUST have noted it, for an agent after a crash, when it resolves. */
  readonly beforeGo: (pid: number, exited: Promise<Exited>) => Promise<void>;
  readonly onRunsChanged: () => Promise<void>;
  readonly clock: Clock;
  readonly rng: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly graceMs: number;
  readonly settleMs: number;
  readonly log: Log;
};

/** One plugin over all its runs. Everything that changes it takes its turn, so a restart never overlaps a stop. */
export class Unit {
  readonly ring = new Ring();
  readonly #ctx: UnitContext;
  #run: PluginRun;
  #phase: Phase = { at: "stopped" };
  #since: number;
  #history: History = NO_HISTORY;
  #runSeq = 0;
  #lastExit: PluginState["lastExit"] = null;
  #restarts = 0;
  #isHeld = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(run: PluginRun, ctx: UnitContext, isHeld: boolean) {
    this.#run = run;
    this.#ctx = ctx;
    this.#isHeld = isHeld;
    this.#since = ctx.clock();
  }

  get run(): PluginRun {
    return this.#run;
  }
  get pid(): number | null {
    return this.#phase.at === "running" ? this.#phase.plugin.pid : null;
  }
  get isWithheld(): boolean {
    return this.#phase.at === "withheld";
  }

  state(): PluginState {
    const health =
      this.#phase.at === "running" ? "healthy" : this.#phase.at === "failed" || this.#phase.at === "backing-off" ? "unhealthy" : "unknown";
    const { id, version } = this.#run;
    return {
      id,
      version,
      state: this.#phase.at,
      pid: this.pid,
      runSeq: this.#runSeq,
      restarts: this.#restarts,
      health,
      since: this.#since,
      lastExit: this.#lastExit,
    };
  }

  /** Runs `run` from now on, with a clean slate. Answers whether it is alive, ended well, or is held; false when its start failed. */
  async begin(run: PluginRun): Promise<boolean> {
    const started = await this.#inTurn(async () => {
      await this.#end();
      this.#run = run;
      this.#history = NO_HISTORY;
      await this.#start();
      return this.#phase;
    });
    if (started.at !== "running") return started.at === "stopped"; // stopped = held
    const exited = await Promise.race([started.plugin.exited, this.#ctx.sleep(this.#ctx.settleMs).then(() => null)]);
    return exited === null || (exited.code === 0 && run.run.restart !== "always");
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#end());
  }

  hold(): Promise<void> {
    this.#isHeld = true;
    return this.stop();
  }

  /** Lifts a hold; starts the plugin unless it runs or is about to. */
  async release(): Promise<void> {
    this.#isHeld = false;
    if (!["running", "starting", "backing-off"].includes(this.#phase.at)) await this.begin(this.#run);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined); // `mine` carries the error to its caller
    return mine;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#ctx.clock();
  }

  async #start(): Promise<void> {
    if (this.#isHeld) return this.#enter({ at: "stopped" });
    this.#enter({ at: "starting" });
    if (!(await this.#ctx.beforeStart(this.#run))) return this.#enter({ at: "withheld" });
    this.#runSeq += 1;
    const runSeq = this.#runSeq;
    const startedAt = this.#ctx.clock();
    try {
      const plugin = await startPlugin(this.#run, runSeq, this.#ctx);
      this.#enter({ at: "running", runSeq, plugin, startedAt });
      this.#ctx.onEvent({ kind: "plugin.started", id: this.#run.id, runSeq, version: this.#run.version });
      void plugin.exited.then((exited) => this.#inTurn(() => this.#ended(runSeq, exited)));
      await this.#ctx.onRunsChanged();
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      this.#ctx.log.error({ plugin: this.#run.id, runSeq, ...errorField(err) }, "plugin not started");
      this.#follow({ code: null, signal: null }, startedAt);
    }
  }

  /** The plugin ended by itself. */
  async #ended(runSeq: number, exited: Exited): Promise<void> {
    if (this.#phase.at !== "running" || this.#phase.runSeq !== runSeq) return; // `#end` was first
    const { plugin, startedAt } = this.#phase;
    await plugin.clear();
    this.#note(runSeq, exited);
    this.#follow(exited, startedAt);
    await this.#ctx.onRunsChanged();
  }

  #note(runSeq: number, exited: Exited): void {
    this.#lastExit = { runSeq, ...exited };
    this.#ctx.onEvent({ kind: "plugin.exited", id: this.#run.id, runSeq, ...exited });
  }

  #follow(exited: Exited, startedAt: number): void {
    const { history, next } = afterExit(
      this.#run.run.restart,
      this.#history,
      { ...exited, startedAt, at: this.#ctx.clock() },
      this.#ctx.rng(),
    );
    this.#history = history;
    switch (next.kind) {
      case "stopped":
        return this.#enter({ at: "stopped" });
      case "failed":
        this.#enter({ at: "failed" });
        return this.#ctx.onEvent({ kind: "plugin.failed", id: this.#run.id, restarts: this.#restarts });
      case "restart":
        return this.#restartIn(next.afterMs);
      default:
        return next satisfies never;
    }
  }

  #restartIn(ms: number): void {
    const cancel = new AbortController();
    const phase: Phase = { at: "backing-off", cancel };
    this.#enter(phase);
    void this.#ctx.sleep(ms, cancel.signal).then(() =>
      this.#inTurn(async () => {
        if (this.#phase !== phase) return;
        this.#restarts += 1;
        await this.#start();
      }),
    );
  }

  /** Ends whatever there is of it now. */
  async #end(): Promise<void> {
    const phase = this.#phase;
    if (phase.at === "backing-off") phase.cancel.abort();
    if (phase.at === "running") {
      this.#note(phase.runSeq, await phase.plugin.end());
    }
    this.#enter({ at: "stopped" });
    if (phase.at === "running") await this.#ctx.onRunsChanged();
  }
}
