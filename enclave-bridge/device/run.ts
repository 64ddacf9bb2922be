import type { Digest } from "#base/canonical/index.ts";
import type { PluginId } from "#schemas/wire/index.ts";
import type { PluginLink } from "./link.ts";
import { Redactor } from "./redact.ts";

/** One run of a plugin as the bridge knows it: its link while it lasts, what it was given, and what its output must not show. */
export class Run {
  readonly plugin: PluginId;
  readonly runSeq: number;
  readonly redactor = new Redactor();
  /** Refs delivered to this run and not taken back since. */
  readonly holds = new Set<string>();
  bundle: Digest | null = null;
  link: PluginLink | null = null;
  outputs = 0;

  constructor(plugin: PluginId, runSeq: number) {
    this.plugin = plugin;
    this.runSeq = runSeq;
  }

  get isOver(): boolean {
    return this.link === null && this.outputs === 0;
  }
}

/** Runs by plugin and run number; a run is forgotten when its link and both outputs are closed. */
export class Runs {
  readonly #runs = new Map<string, Run>();

  of(plugin: PluginId, runSeq: number): Run {
    const key = `${plugin}\n${runSeq}`;
    const run = this.#runs.get(key) ?? new Run(plugin, runSeq);
    this.#runs.set(key, run);
    return run;
  }

  all(): IterableIterator<Run> {
    return this.#runs.values();
  }

  forgetIfOver(run: Run): void {
    if (run.isOver) this.#runs.delete(`${run.plugin}\n${run.runSeq}`);
  }
}
