import type { Digest } from "#base/canonical/index.ts";
import { MooringError, type Problem, toProblem } from "#base/errors/index.ts";
import { errorField, type Log, refusalFields } from "#base/log/index.ts";
import { type Clock, sleep, timeOf } from "#base/time/index.ts";
import type { MachineId, SignedStatement } from "#schemas/wire/index.ts";
import { makeWorker, type Worker, type WorkerDeps } from "../machine/index.ts";
import { type HubSigning, keyFault } from "../signing/index.ts";
import { makeQueue } from "../queue/index.ts";
import { Notice } from "../source/index.ts";
import { makeHeadLog } from "./head-log.ts";
import type { SourceLoop } from "./source-loop.ts";
import { makeStatementBook } from "./statements.ts";

export type HubDeps = {
  readonly source: SourceLoop;
  readonly worker: Omit<WorkerDeps, "fleet" | "intervalMs">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly pollMs: number;
  /** Signs for roles that are `by: hub`; null = this hub has no key. */
  readonly signing?: HubSigning | null;
};

export type StatementOutcome = {
  readonly digest: Digest;
  readonly vault: string;
  readonly machines: readonly { readonly name: MachineId; readonly outcome: string }[];
};

// SSH and agents answer in milliseconds; more at once would only queue on our own two or four cores.
const PLACES = 64;
const STATEMENT_MS = 3_000;

export type Hub = ReturnType<typeof makeHub>;

/** The reconciler: one loop follows the source, one queue brings machines to what is released. Nothing here decides what may run: releases do, and
 *  machines check them again. */
export function makeHub(deps: HubDeps) {
  const { source, log, clock } = deps;
  const workers = new Map<MachineId, Worker>();
  const book = makeStatementBook();
  const stop = new AbortController();
  const notice = new Notice({ pollMs: deps.pollMs, random: deps.random });
  let sourceError: Problem | null = null;
  let signingError: Problem | null = null;
  const told = makeHeadLog(log);
  const handedToVault = new Set<Digest>();
  const queue = makeQueue(PLACES, async (key, signal) => (await workers.get(key as MachineId)?.run(source.view().target, signal)) ?? null);

  const workerOf = (name: MachineId, fleet: string): Worker => {
    let worker = workers.get(name);
    if (worker !== undefined) return worker;
    const intervalMs = (): number => (source.view().target?.resolved.hubSettings.intervalSeconds ?? 600) * 1000;
    worker = makeWorker(name, { ...deps.worker, fleet, intervalMs }, () => queue.add(name));
    workers.set(name, worker);
    for (const [digest, signed] of book.all()) worker.addStatement(digest, signed);
    return worker;
  };
  /** Makes the set of workers the set of machines of the target, and has each look. */
  const spread = (): void => {
    const target = source.view().target;
    if (target === null) return;
    for (const [name, worker] of workers) {
      if (target.resolved.machines.has(name)) continue;
      queue.remove(name);
      worker.close();
      workers.delete(name);
    }
    for (const name of target.resolved.machines.keys()) {
      workerOf(name, target.resolved.fleet);
      queue.add(name);
    }
  };
  const take = (signed: SignedStatement): Digest | null => {
    const target = source.view().target;
    if (target === null) throw new MooringError("RELEASE_MISSING", "no release is in force, so nobody is known who may sign a statement");
    const taken = book.take(signed, target, timeOf(clock()));
    if (taken === null) return null;
    for (const worker of workers.values()) worker.addStatement(taken.digest, signed);
    if (taken.isNew) log.info({ digest: taken.digest, action: taken.statement.action }, "statement taken");
    return taken.digest;
  };
  const tellVault = async (digest: Digest, signed: SignedStatement): Promise<string> => {
    const { vault } = deps.worker;
    if (vault === null) return "none";
    if (handedToVault.has(digest)) return "accepted";
    try {
      await vault.addStatement(signed, stop.signal);
      handedToVault.add(digest);
      return "accepted";
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      log.warn({ digest, ...errorField(err) }, "the vault did not take a statement");
      return err.code;
    }
  };
  const takeFromBranch = async (): Promise<void> => {
    if (source.view().target === null) return;
    for (const signed of source.view().branch.statements) {
      try {
        const digest = take(signed);
        if (digest !== null) await tellVault(digest, signed);
      } catch (err) {
        if (!(err instanceof MooringError)) throw err; // anybody may push there: what proves nothing is passed over
      }
    }
  };
  /** What the hub has signed is read back like anybody's signature, at once. */
  const signOwn = async (): Promise<void> => {
    try {
      const { head, target } = source.view();
      const fault = deps.signing ? null : keyFault(head, null, target?.head.release.doc.serial ?? 0);
      if (fault !== null) throw fault;
      const count = (await deps.signing?.(source.view(), stop.signal)) ?? 0;
      signingError = null;
      if (count === 0) return;
      log.info({ count, revision: head?.revision }, "signed for main, as roles by: hub ask");
      notice.notice();
    } catch (err) {
      if (!(err instanceof MooringError)) throw err;
      const isKnown = signingError?.code === err.code && signingError.message === err.message;
      signingError = toProblem(err);
      if (!isKnown) log.warn(refusalFields(signingError), "the hub did not sign for main; it is tried again");
    }
  };
  const lookOnce = async (): Promise<boolean> => {
    try {
      const { isNew, view } = await source.look(stop.signal);
      sourceError = null;
      if (isNew) {
        log.info({ revision: view.target?.revision, release: view.target?.head.release.doc.serial }, "new target");
        spread();
      }
      told(view, timeOf(clock()));
      const known = book.all().size;
      await takeFromBranch();
      if (book.all().size !== known && !isNew) spread();
      await signOwn();
      return true;
    } catch (err) {
      if (stop.signal.aborted) return true;
      if (!(err instanceof MooringError)) throw err;
      sourceError = toProblem(err);
      log.warn(refusalFields(sourceError), "source refused or out of reach; the last good revision stays in force");
      return false;
    }
  };
  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; await notice.wait(failures, stop.signal)) failures = (await lookOnce()) ? 0 : failures + 1;
  };

  return {
    run,
    /** Look at the source now, and at these machines (all when none is named). */
    reconcile: (names: readonly MachineId[]): void => {
      notice.notice();
      for (const name of names.length > 0 ? names : workers.keys()) {
        if (!workers.has(name)) throw new MooringError("MACHINE_UNKNOWN", name);
        queue.add(name);
      }
    },
    hint: (): void => notice.notice(),
    /** Takes a statement in and says who obeys it, after at most three seconds. */
    state: async (signed: SignedStatement): Promise<StatementOutcome> => {
      const digest = take(signed);
      if (digest === null) throw new MooringError("STATEMENT_UNPROVEN", "the release in force has lifted this statement");
      for (const name of workers.keys()) queue.add(name);
      const vault = await tellVault(digest, signed);
      const until = performance.now() + STATEMENT_MS;
      const isOpen = (): boolean => [...workers.values()].some((worker) => !worker.hasTaken(digest) && worker.view()?.reachable === true);
      while (isOpen() && performance.now() < until) await sleep(5, stop.signal);
      const outcome = (worker: Worker): string =>
        worker.hasTaken(digest) ? "accepted" : worker.view()?.reachable === true ? (worker.view()?.error?.code ?? "waiting") : "offline";
      return { digest, vault, machines: [...workers].map(([name, worker]) => ({ name, outcome: outcome(worker) })) };
    },
    source: () => ({ ...source.view(), error: sourceError, signingError }),
    machines: () => [...workers].map(([name, worker]) => ({ name, view: worker.view() })),
    stop: async (): Promise<void> => {
      stop.abort();
      await queue.stop();
      for (const worker of workers.values()) worker.close();
    },
  };
}
