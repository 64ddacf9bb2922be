import type { BridgeClient, BridgeExit, PluginLine, SecretUse } from "#bridge/client/index.ts";
import { errorField, type Log } from "#base/log/index.ts";
import { backoffMs, type Clock, sleep, type Time, timeOf } from "#base/time/index.ts";
import type { UnpackCommand } from "#bundle/read/index.ts";
import type { BeforeStart, Layout, Supervisor, SupervisorEvent, Uids } from "#lobster/contract.ts";
import { randomUUID } from "node:crypto";
import { chmod, chown, mkdtemp, rename, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { basename, dirname, join } from "node:path";
import { type Core, makeConverger, makeLane, openAcceptedBook, openHoldBook, openPackSpool } from "../apply/index.ts";
import { type Generation, openContentStore, openGenerations } from "../content/index.ts";
import { openEpochGate } from "../epoch/index.ts";
import { eventStreams, openJournal } from "../events/index.ts";
import { foldersOf, makeObserver, observeTree } from "../live/index.ts";
import { openStatementBook } from "../statements/index.ts";
import { makeEnforcer, makeTriggers, WATCH_TIMES, type WatchTimes } from "../watch/index.ts";
import { bridgeStateOf } from "./bridge-state.ts";
import { makeServer } from "./http.ts";
import { makeFloor, makeMachine, obeyRevoked } from "./machine.ts";
import { gateOf, routesOf } from "./routes.ts";
import { removeStaleTemps } from "./recover.ts";
import type { Pins } from "#schemas/wire/index.ts";

/** The bridge as the supervisor sees it: the one that runs now. */
export type BridgeSide = Pick<BridgeClient, "attach" | "output" | "detach">;

export type BridgeHooks = {
  readonly onLine: (line: PluginLine) => void;
  readonly onUse: (use: SecretUse) => void;
  readonly onExit: (exit: BridgeExit) => void;
};

export type RunningSupervisor = Supervisor & { onLine(line: PluginLine): void };

export type AgentOptions = {
  readonly layout: Layout;
  readonly pins: Pins;
  readonly uids: Uids | null;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly startBridge: (hooks: BridgeHooks) => BridgeClient;
  readonly startSupervisor: (deps: {
    readonly bridge: BridgeSide;
    readonly beforeStart: BeforeStart;
    readonly onEvent: (event: SupervisorEvent) => void;
  }) => Promise<RunningSupervisor>;
  /** Null where no egress process is wanted. */
  readonly startEgress: (() => Promise<{ readonly stop: () => Promise<void> }>) | null;
  /** How the unprivileged child that parses archives is started. */
  readonly unpack: UnpackCommand;
  readonly watch?: WatchTimes;
};

export type Agent = { readonly stop: () => Promise<void>; readonly idle: () => Promise<void> };

const PACK_LIMIT = 256 * 1024 * 1024; // an archive of 100 MiB, its sigstore bundle and what sealing adds, with room

/** Starts the agent: recovers what a crash left, proves the stored release again, gives the bridge its state, runs the plugins, corrects drift and
 *  answers on agent.sock and admin.sock. Needs no hub. Throws STATE_BROKEN when the stored release or generation is not whole. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { layout, pins, clock, log } = options;
  await removeStaleTemps(layout);
  const content = await openContentStore(layout.content);
  const generations = await openGenerations(layout.generations, content);
  const accepted = await openAcceptedBook(join(layout.state, "accepted.json"), pins);
  const statements = await openStatementBook(join(layout.state, "statements"), pins);
  const journal = await openJournal(join(layout.state, "events"), clock, randomUUID);
  const epoch = await openEpochGate(join(layout.state, "epoch.json"));
  const holds = await openHoldBook(join(layout.state, "holds.json"));
  const spool = await openPackSpool(join(layout.state, "packs"), PACK_LIMIT);
  const uid = process.getuid?.() ?? 0;
  const observer = makeObserver(pins, uid, clock);
  await observer.observe(generations.current(), "hash");

  // Not of statements: one signer alone could date one far ahead and so end every lease and release here.
  const latestSigned = (): Time | null => accepted.current()?.head.issued ?? null;
  const withheld: Core["withheld"] = new Set();
  let supervisor: RunningSupervisor | null = null;
  let isStopping = false;
  const bridges = keepBridge(options, {
    onLine: (line) => supervisor?.onLine(line),
    onNew: async (bridge) => {
      await bridge.ready;
      await giveState(bridge);
      if (supervisor !== null) for (const { id } of supervisor.states()) await supervisor.restart(id, "the bridge started anew");
    },
  });
  const giveState = async (bridge: BridgeClient): Promise<void> => {
    const release = accepted.current();
    if (release === null) return;
    const floor = latestSigned() ?? timeOf(0);
    await bridge.state(
      bridgeStateOf({ pins, accepted: release, generation: generations.current(), revoked: statements.revoked(), withheld, floor }),
    );
  };
  const telling = makeLane();
  const giveBridge = (): Promise<void> => telling(() => giveState(bridges.current()));

  const beforeStart: BeforeStart = async (run) => {
    const plugin = generations.current()?.plugins.find((each) => each.tree === run.tree && each.section.bundle === run.bundle);
    if (plugin === undefined) return false;
    return (await observeTree(plugin.tree, plugin.held, uid, new Map(), "hash")).length === 0;
  };
  await bridges.current().ready;
  await giveBridge();
  const onEvent = (event: SupervisorEvent): void => {
    const { kind, ...data } = event;
    void journal.append(kind, data).catch((err: unknown) => log.error(errorField(err), "an event could not be stored"));
  };
  const running = await options.startSupervisor({ bridge: sideOf(bridges.current), beforeStart, onEvent });
  supervisor = running;
  const core: Core = {
    pins,
    layout,
    log,
    clock,
    uid,
    accepted,
    holds,
    content,
    generations,
    observer,
    journal,
    statements,
    supervisor: running,
    withheld,
    stopped: new Set(),
    withTrees: makeLane(),
    giveBridge,
  };
  const enforcer = makeEnforcer(core);
  const triggers = makeTriggers(enforcer.look, log, options.watch ?? WATCH_TIMES);
  const point = (generation: Generation | null): void => triggers.point(generation === null ? [] : watchedFolders(generation));
  const converger = makeConverger(core, point);
  const egress = options.startEgress === null ? null : await options.startEgress();

  await obeyRevoked(core, []);
  point(generations.current());
  await enforcer.look("hash");
  converger.kick();

  const floor = makeFloor(clock, () => performance.now(), latestSigned);
  const machine = makeMachine({
    core,
    epoch,
    converger,
    enforcer,
    spool,
    bridge: bridges.current,
    unpack: options.unpack,
    floor,
    lookSoon: () => triggers.look("stat"),
    version: options.version,
    bootId: randomUUID(),
  });
  const head = () => ({
    root: observer.last().answer.root,
    generation: generations.current()?.record.n ?? 0,
    observedGeneration: converger.observedGeneration(),
  });
  const streams = eventStreams({ journal, hello: machine.hello, head, onHead: observer.onRoot, now: () => timeOf(clock()) });
  const routes = routesOf(machine, epoch, streams);
  const servers = [
    await listen(makeServer(routes, gateOf(machine, false), log), join(layout.run, "agent.sock"), options.uids?.sshGid ?? null),
    await listen(makeServer(routes, gateOf(machine, true), log), join(layout.run, "admin.sock"), null),
  ];
  log.info({ machine: pins.machine, generation: generations.current()?.record.n ?? 0 }, "agent serves");

  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    triggers.stop();
    converger.stop();
    streams.stop();
    await Promise.all(servers.map(close));
    await converger.idle();
    await core.withTrees(async () => {}); // a look that runs ends first
    await running.stop();
    await egress?.stop();
    await bridges.stop();
    await journal.close();
  };
  return { stop, idle: converger.idle };
}

type Bridges = { readonly current: () => BridgeClient; readonly stop: () => Promise<void> };

/** Keeps a bridge running: one that ends is started anew, with back-off, and `onNew` brings it up to date. */
function keepBridge(
  options: AgentOptions,
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

function sideOf(current: () => BridgeClient): BridgeSide {
  return {
    attach: (...args) => current().attach(...args),
    output: (...args) => current().output(...args),
    detach: (...args) => current().detach(...args),
  };
}

/** The folders where a change of the generation shows. */
function watchedFolders(generation: Generation): readonly string[] {
  const trees = generation.plugins.flatMap(({ tree, held }) => foldersOf(held).map((folder) => join(tree, folder)));
  return [...new Set([generation.folder, join(generation.folder, "plugins"), ...trees])];
}

/** Listens on a unix socket that only its group (or root alone) may open. It gets owner and mode in a folder nobody else enters and is then moved to
 *  its place, so that it is never open to others; the old socket of a crashed agent goes by that. */
async function listen(server: Server, path: string, gid: number | null): Promise<Server> {
  const nook = await mkdtemp(join(dirname(path), "."));
  const fresh = join(nook, "s");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(fresh, resolve);
  });
  if (gid !== null) await chown(fresh, process.getuid?.() ?? 0, gid);
  await chmod(fresh, basename(path) === "agent.sock" ? 0o660 : 0o600);
  await rename(fresh, path);
  await rm(nook, { recursive: true });
  server.once("close", () => void rm(path, { force: true }).catch(() => null)); // the next start replaces it anyway
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
