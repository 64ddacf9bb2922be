import { canon } from "#base/canonical/index.ts";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { errorField } from "#base/log/index.ts";
import { backoffMs } from "#base/time/index.ts";
import type { PluginRun } from "#lobster/contract.ts";
import { leafOf } from "#proof/root/index.ts";
import type { ApplyPhase, Desired, PluginSection } from "#schemas/wire/index.ts";
import type { Generation } from "../content/index.ts";
import type { AcceptedRelease } from "./accepted.ts";
import { missingBundles } from "./bundles.ts";
import type { Core } from "./core.ts";
import { type Hold, withHolds } from "./holds.ts";
import { identityOf, pluginNamed, runOf } from "./sections.ts";
import { obeyRevoked, settle } from "./settle.ts";

/** Brings the machine from its current generation to the accepted release. Level-triggered: each round reads both afresh. */
export type Converger = {
  /** Something changed: run a round (or one more). */
  readonly kick: () => void;
  /** Resolves when no round runs and none is due at once. */
  readonly idle: () => Promise<void>;
  /** Where the apply `id` is, null when it was never heard of here (or longer ago than 32 applies, or before the agent's last start). */
  readonly phaseOf: (id: string) => ApplyPhase | null;
  readonly phase: () => ApplyPhase | null;
  /** The accepted release is about to be replaced: remembers how far it got. */
  readonly supersede: () => void;
  /** Code of what keeps the last round from ending, null when it ended. */
  readonly trouble: () => string | null;
  readonly observedGeneration: () => number;
  readonly stop: () => void;
};

const KNOWN_APPLIES = 32;

type State = { id: string | null; phase: ApplyPhase | null; trouble: string | null; observed: number; reported: string };

export function makeConverger(core: Core, onSwitch: (generation: Generation | null) => void): Converger {
  const state: State = { id: null, phase: null, trouble: null, observed: 0, reported: "" };
  const known = new Map<string, ApplyPhase>();
  const turn = { isDue: false, isRunning: false, isStopped: false };
  let running: Promise<void> = Promise.resolve();
  let tries = 0;
  let timer: NodeJS.Timeout | null = null;

  const loop = async (): Promise<void> => {
    while (turn.isDue && !turn.isStopped) {
      turn.isDue = false;
      try {
        if ((await round(core, state, onSwitch)) === "again") turn.isDue = true;
        tries = 0;
        state.trouble = null;
      } catch (err) {
        tries += 1;
        state.trouble = errorField(err).code;
        core.log.error({ ...errorField(err), tries }, "a round towards the accepted release failed; it is tried again");
        if (hasCode(err, "CONTENT_CORRUPT") && tries < 3)
          turn.isDue = true; // what rotted counts as missing now
        else timer = setTimeout(kick, backoffMs(tries, { baseMs: 1_000, maxMs: 300_000 }, 0.5));
      }
    }
    turn.isRunning = false;
  };
  const kick = (): void => {
    turn.isDue = true;
    if (timer !== null) clearTimeout(timer);
    if (turn.isRunning || turn.isStopped) return;
    turn.isRunning = true;
    running = loop();
  };
  return {
    kick,
    idle: async () => {
      while (turn.isRunning) await running;
    },
    phase: () => state.phase,
    phaseOf: (id) => (core.accepted.current()?.id === id ? currentPhase(core, state) : (known.get(id) ?? null)),
    supersede: () => {
      const old = core.accepted.current();
      if (old === null) return;
      const phase = currentPhase(core, state);
      const isOver = phase.at === "done" || phase.at === "undone";
      known.set(old.id, isOver ? phase : undone("APPLY_SUPERSEDED", "a newer apply came", core.generations.current()));
      if (known.size > KNOWN_APPLIES) known.delete([...known.keys()][0] ?? "");
    },
    trouble: () => state.trouble,
    observedGeneration: () => state.observed,
    stop: () => {
      turn.isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

async function round(core: Core, state: State, onSwitch: (generation: Generation | null) => void): Promise<"again" | "ended"> {
  await settle(core);
  const target = core.accepted.current();
  const current = core.generations.current();
  if (state.id !== (target?.id ?? null)) state.phase = null;
  state.id = target?.id ?? null;
  if (target === null || target.isCancelled || identityOf(target.desired).mode === "observe") {
    await want(core, current);
    state.phase =
      target?.isCancelled === true
        ? undone("APPLY_CANCELLED", "it was cancelled before the switch", current)
        : { at: "done", generation: current?.record.n ?? 0 };
    return ended(core, state, target);
  }
  await core.holds.prune(target.desired);
  const source = await carrySource(core, current);
  const { desired, held } = withHolds(target.desired, core.holds.all(), source?.desired ?? null);
  const missing = await missingBundles(desired, core.content);
  if (missing.length > 0) {
    await want(core, current);
    state.phase = { at: "waiting", missing };
    return "ended";
  }
  let generation = current;
  if (generation === null || canon(generation.desired) !== canon(desired)) {
    const next = await stage(core, state, target, desired, held.length > 0 ? (source?.record.n ?? null) : null);
    if (next === null) return "again";
    generation = next;
    onSwitch(generation);
  }
  return check(core, state, target, generation, held);
}

/** Null when a newer apply came in the meantime. */
async function stage(core: Core, state: State, target: AcceptedRelease, desired: Desired, of: number | null): Promise<Generation | null> {
  state.phase = { at: "staging", left: desired.sections.length };
  const { root, revision, epoch } = target.request;
  const staged = await core.generations.stage({ root, revision, release: target.head.serial, epoch, of }, desired);
  if (core.accepted.current() !== target) return null;
  const switched = await core.withTrees(async () => {
    const generation = await core.generations.switchTo(staged);
    await core.observer.observe(generation, "hash");
    return generation;
  });
  await core.giveBridge();
  return switched;
}

/** Starts what the generation has. A plugin that is new in it and does not come up is held: the next round makes a generation without that change. */
async function check(
  core: Core,
  state: State,
  target: AcceptedRelease,
  generation: Generation,
  held: readonly Hold[],
): Promise<"again" | "ended"> {
  const { n } = generation.record;
  if (state.phase?.at !== "done") state.phase = { at: "checking", generation: n };
  const { failed } = await want(core, generation);
  if (core.accepted.current() !== target) return "again";
  if (core.generations.current()?.record.at === "switched") {
    const before = await previousOf(core, n);
    const fresh = failed.flatMap((id) => newIn(generation.desired, before?.desired ?? null, id));
    await core.generations.mark(failed.length === 0 ? "healthy" : "failed");
    if (fresh.length > 0) {
      await core.holds.add(fresh, "PLUGIN_NOT_ALIVE");
      return "again";
    }
  }
  const [first] = held;
  state.phase =
    first === undefined
      ? { at: "done", generation: n }
      : undone(first.reason, `plugin ${held.map((each) => each.plugin).join(", ")} is held as it was`, generation);
  await core.generations.collect(
    new Set(target.desired.sections.flatMap((section) => (section.kind === "plugin" ? [section.bundle] : []))),
  );
  return ended(core, state, target);
}

function currentPhase(core: Core, state: State): ApplyPhase {
  const current = core.accepted.current();
  if (current !== null && state.id === current.id && state.phase !== null) return state.phase;
  return { at: "staging", left: current?.desired.sections.length ?? 0 };
}

/** Tells once how an apply ended. */
async function ended(core: Core, state: State, target: AcceptedRelease | null): Promise<"ended"> {
  state.observed = core.generations.current()?.record.n ?? 0;
  const { phase } = state;
  if (target === null || phase === null) return "ended";
  const report = `${target.id} ${canon(phase)}`;
  if (report === state.reported) return "ended";
  state.reported = report;
  const facts = { apply: target.id, release: target.head.serial, revision: target.request.revision, generation: state.observed };
  if (phase.at === "done") await core.journal.append("apply.done", facts);
  if (phase.at === "undone") await core.journal.append("apply.undone", { ...facts, reason: phase.reason });
  return "ended";
}

/** The generation whose trees a held plugin keeps: the current one, unless it has the very section that is held; then the one before. */
async function carrySource(core: Core, current: Generation | null): Promise<Generation | null> {
  if (current === null) return null;
  const bad = new Set(core.holds.all().map((hold) => hold.leaf));
  const isBad = current.plugins.some(({ section }) => bad.has(leafOf(section)));
  return isBad ? previousOf(core, current.record.n) : current;
}

async function previousOf(core: Core, n: number): Promise<Generation | null> {
  const before = (await core.generations.kept()).filter((each) => each < n).at(-1);
  return before === undefined ? null : core.generations.open(before);
}

function newIn(now: Desired, before: Desired | null, id: string): readonly PluginSection[] {
  const section = pluginNamed(now, id);
  if (section === null) return [];
  const old = before === null ? null : pluginNamed(before, id);
  return old !== null && leafOf(old) === leafOf(section) ? [] : [section];
}

/** Runs what `generation` has, but nothing revoked: a revocation may be older than the plugin on this machine. */
async function want(core: Core, generation: Generation | null): ReturnType<Core["supervisor"]["want"]> {
  const runs = runsOf(generation);
  await obeyRevoked(
    core,
    runs.map((run) => run.id),
  );
  return core.supervisor.want(runs);
}

/** The plugins of a generation as the supervisor wants them. Pure. */
export function runsOf(generation: Generation | null): readonly PluginRun[] {
  return (generation?.plugins ?? []).map(({ section, held, tree }) => ({
    id: section.name,
    version: section.version,
    bundle: section.bundle,
    tree,
    main: held.main,
    run: runOf(section.run, section.name),
    config: section.config,
  }));
}

function undone(reason: string, message: string, generation: Generation | null): ApplyPhase {
  return { at: "undone", reason, message, generation: generation?.record.n ?? 0 };
}

/** Refuses an apply that was made from another view of this machine. Throws LIVE_MOVED, GENERATION_MOVED. */
export function checkView(
  asked: { readonly ifRoot: string; readonly ifGeneration: number },
  have: { readonly root: string; readonly generation: number },
): void {
  if (asked.ifGeneration !== have.generation)
    throw new MooringError("GENERATION_MOVED", `the machine is at another generation than ${asked.ifGeneration}`, {
      have: have.generation,
    });
  if (asked.ifRoot !== have.root)
    throw new MooringError("LIVE_MOVED", "the machine's live root is another than the one looked at", { have: have.root });
}
