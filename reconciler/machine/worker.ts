import type { Digest } from "#base/canonical/index.ts";
import { MooringError, type Problem, toProblem } from "#base/errors/index.ts";
import { refusalFields } from "#base/log/index.ts";
import { backoffMs, type Clock, type Time, timeOf } from "#base/time/index.ts";
import { releaseName } from "#proof/release/index.ts";
import type { Condition, Hello, MachineId, SignedStatement } from "#schemas/wire/index.ts";
import type { AgentStatus } from "#schemas/wire/index.ts";
import type { BundleStore } from "../bundles/index.ts";
import type { Next } from "../queue/index.ts";
import type { VaultClient } from "../secrets/index.ts";
import { signedBy } from "../revision/index.ts";
import type { BindingBook } from "./binding-book.ts";
import { openSession, type Session, type SessionDeps } from "./session.ts";
import { conditionsOf } from "./status.ts";
import { applyTo, bind, needsApply, type StepContext } from "./steps.ts";
import { type FleetTarget, type MachineTarget, machineTarget } from "./target.ts";

export type WorkerDeps = Omit<SessionDeps, "onHint"> & {
  readonly bundles: BundleStore;
  readonly vault: VaultClient | null;
  readonly bindings: BindingBook;
  readonly clock: Clock;
  readonly random: () => number;
  readonly intervalMs: () => number;
};

/** What is shown of a machine; written once a run. */
export type MachineView = {
  readonly name: MachineId;
  readonly reachable: boolean;
  readonly mode: "observe" | "manage";
  readonly conditions: readonly Condition[];
  readonly hello: Hello | null;
  readonly desiredRoot: Digest;
  readonly inSync: boolean;
  readonly lastAppliedRevision: string | null;
  readonly lastAttemptedRevision: string | null;
  readonly leaseUntil: string | null;
  readonly agent: AgentStatus | null;
  readonly error: Problem | null;
  readonly lastSeen: Time | null;
};

/** What a run that ended well leaves to show: keys the machine reports as drifted, the lease, when to look again. */
type Done = { readonly drifted: readonly string[]; readonly leaseUntil: string | null; readonly againInMs: number };

const BACKOFF = { baseMs: 500, maxMs: 60_000 };
const MOVED = ["LIVE_MOVED", "GENERATION_MOVED"];

/** The hub's hands on one machine. `run` is level-triggered: it reads target and machine afresh, goes through the steps, writes the view once. */
export function makeWorker(name: MachineId, deps: WorkerDeps, onHint: () => void) {
  let session: Session | null = null;
  let epoch: number | null = null;
  let failures = 0;
  let undone: { readonly release: string; readonly error: MooringError } | null = null;
  let view: MachineView | null = null;
  const statements = new Map<string, SignedStatement>();
  const told = new Set<string>();

  const connected = async (fleet: FleetTarget, signal: AbortSignal): Promise<Session> => {
    if (session?.isAlive() === true) {
      await session.refresh();
      return session;
    }
    const where = fleet.resolved.hubSettings.links.get(name);
    if (where === undefined) throw new MooringError("MACHINE_UNKNOWN", `${name} has no Machine document`);
    session = await openSession(name, where, epoch, { ...deps, onHint }, signal);
    epoch = session.epoch;
    deps.log.info({ machine: name, epoch }, "machine connected");
    return session;
  };
  const tell = async (open: Session): Promise<void> => {
    for (const [digest, statement] of statements) {
      if (told.has(digest)) continue;
      await open.client.statement(statement, open.epoch);
      told.add(digest);
    }
  };
  const steps = async (fleet: FleetTarget, machine: MachineTarget, signal: AbortSignal): Promise<Done> => {
    const open = await connected(fleet, signal);
    const context: StepContext = { ...deps, session: open, fleet, machine, signal };
    if (open.hello.release !== null) await tell(open);
    if (await needsApply(context, open.hello)) {
      deps.log.info({ machine: name, revision: fleet.revision, release: fleet.head.release.doc.serial }, "applying");
      const generation = await applyTo(context, open.hello, () => bind(context));
      deps.log.info({ machine: name, generation }, "applied");
      await tell(open);
    }
    const bound = await bind(context);
    const hello = await open.refresh();
    const live = hello.root === machine.root ? null : await open.client.live([machine.root]);
    const rest = deps.intervalMs() * (0.95 + 0.1 * deps.random());
    return { drifted: Object.keys(live?.drifted ?? {}), leaseUntil: bound.leaseUntil, againInMs: Math.min(rest, bound.againInMs ?? rest) };
  };
  const run = async (fleet: FleetTarget | null, signal: AbortSignal): Promise<Next> => {
    const machine = fleet === null ? null : machineTarget(fleet, name);
    if (fleet === null || machine === null) return null;
    // A machine that takes long, or never answers, is shown from its first run on.
    view ??= viewOf(name, machine, fleet, {
      phase: "working",
      error: null,
      agent: null,
      session,
      before: null,
      drifted: [],
      leaseUntil: null,
      now: timeOf(deps.clock()),
    });
    let error: MooringError | null = null;
    let done: Done = { drifted: [], leaseUntil: view?.leaseUntil ?? null, againInMs: 0 };
    let agent: AgentStatus | null = view?.agent ?? null;
    try {
      done = await steps(fleet, machine, signal);
      agent = (await session?.client.status()) ?? null;
      failures = 0;
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      if (err.code === "APPLY_UNDONE") undone = { release: fleet.head.release.digest, error: err };
      // From the second time on the machine only says that it holds this release; why it did is what a person needs.
      error = err.code === "APPLY_HELD" && undone?.release === fleet.head.release.digest ? undone.error : err;
      if (err.code === "AGENT_UNREACHABLE") session?.close(); // whatever else of the link still lives: the next run dials afresh
      if (session?.isAlive() === false) session = null;
      if (!signal.aborted) {
        const { revision, head } = fleet;
        const aim = { machine: name, revision, release: releaseName(head.release), signed: signedBy(head).join(", "), failures };
        deps.log.warn({ ...aim, ...refusalFields(toProblem(err)) }, "run failed");
      }
    }
    view = viewOf(name, machine, fleet, {
      phase: "idle",
      error,
      agent,
      session,
      before: view,
      drifted: done.drifted,
      leaseUntil: done.leaseUntil,
      now: timeOf(deps.clock()),
    });
    if (error === null) return { againInMs: done.againInMs };
    if (MOVED.includes(error.code)) return { againInMs: 20 };
    failures += 1;
    if (error.disposition === "retry" || error.disposition === "wait") return { againInMs: backoffMs(failures, BACKOFF, deps.random()) };
    return { againInMs: deps.intervalMs() };
  };
  return {
    run,
    view: (): MachineView | null => view,
    /** Hands a statement to the machine at the next run, and with every reconnect until it took it. */
    addStatement: (digest: string, statement: SignedStatement): void => void statements.set(digest, statement),
    hasTaken: (digest: string): boolean => told.has(digest),
    close: (): void => session?.close(),
  };
}

export type Worker = ReturnType<typeof makeWorker>;

function viewOf(
  name: MachineId,
  machine: MachineTarget,
  fleet: FleetTarget,
  facts: {
    readonly phase: "idle" | "working";
    readonly error: MooringError | null;
    readonly agent: AgentStatus | null;
    readonly session: Session | null;
    readonly before: MachineView | null;
    readonly drifted: readonly string[];
    readonly leaseUntil: string | null;
    readonly now: Time;
  },
): MachineView {
  const { error, agent, session, before, now } = facts;
  const hello = session?.hello ?? before?.hello ?? null;
  const reachable = session?.isAlive() === true;
  const isReleased = hello?.release?.digest === fleet.head.release.digest;
  const inSync = reachable && isReleased && hello?.root === machine.root;
  const known = {
    phase: facts.phase,
    error: error === null ? null : toProblem(error),
    inSync,
    drifted: facts.drifted,
    agent,
    generation: hello?.generation ?? 0,
  };
  return {
    name,
    reachable,
    mode: machine.mode,
    conditions: conditionsOf(known, before?.conditions ?? [], now),
    hello,
    desiredRoot: machine.root,
    inSync,
    lastAppliedRevision: error === null && isReleased ? fleet.revision : (before?.lastAppliedRevision ?? null),
    lastAttemptedRevision: fleet.revision,
    leaseUntil: facts.leaseUntil,
    agent,
    error: known.error,
    lastSeen: reachable ? now : (before?.lastSeen ?? null),
  };
}
