import type { BridgeClient } from "#bridge/client/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { errorField } from "#base/log/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import type { BeforeStart, SupervisorEvent } from "#lobster/contract.ts";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Core, makeConverger, makeLane, obeyRevoked } from "../apply/index.ts";
import type { Generation } from "../content/index.ts";
import { eventStreams } from "../events/index.ts";
import { foldersOf, makeObserver, observeTree } from "../live/index.ts";
import { makeEnforcer, makeTriggers, WATCH_TIMES } from "../watch/index.ts";
import { bridgeStateOf } from "./bridge-state.ts";
import { type Bridges, keepBridge, sideOf } from "./bridges.ts";
import { makeServer } from "./http.ts";
import { type Machine, makeFloor, makeMachine } from "./machine.ts";
import type { AgentOptions, RunningSupervisor } from "./options.ts";
import { gateOf, routesOf } from "./routes.ts";
import { close, listen } from "./sockets.ts";
import { openStores, type Stores } from "./stores.ts";

export type Agent = { readonly stop: () => Promise<void>; readonly idle: () => Promise<void> };

/** Starts the agent: recovers what a crash left, proves the stored release again, gives the bridge its state, runs the plugins, corrects drift and
 *  answers on agent.sock and admin.sock. Needs no hub. Throws STATE_BROKEN when the stored release or generation is not whole. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { layout, pins, clock, log } = options;
  const stores = await openStores(options);
  const { bridges, core, supervisor } = await startCore(options, stores);
  const enforcer = makeEnforcer(core);
  const triggers = makeTriggers(enforcer.look, log, options.watch ?? WATCH_TIMES);
  const point = (generation: Generation | null): void => triggers.point(generation === null ? [] : watchedFolders(generation));
  const converger = makeConverger(core, point);
  const egress = options.startEgress === null ? null : await options.startEgress();

  await obeyRevoked(core);
  point(core.generations.current());
  await enforcer.look("hash");
  converger.kick();

  const machine = makeMachine({
    core,
    epoch: stores.epoch,
    converger,
    enforcer,
    spool: stores.spool,
    bridge: bridges.current,
    unpack: options.unpack,
    floor: makeFloor(
      clock,
      () => performance.now(),
      () => latestSigned(stores),
    ),
    lookSoon: () => triggers.look("stat"),
    version: options.version,
    bootId: randomUUID(),
  });
  const front = await serveOn(options, core, machine, stores, converger.observedGeneration);
  log.info({ machine: pins.machine, generation: core.generations.current()?.record.n ?? 0, root: layout.root }, "agent serves");

  const end = async (): Promise<void> => {
    triggers.stop();
    converger.stop();
    await front.stop();
    await converger.idle();
    await core.withTrees(async () => {}); // a look that runs ends first
    await supervisor.stop();
    await egress?.stop();
    await bridges.stop();
    await stores.journal.close();
  };
  let ending: Promise<void> | null = null;
  return { stop: () => (ending ??= end()), idle: converger.idle };
}

type Started = { readonly bridges: Bridges; readonly core: Core; readonly supervisor: RunningSupervisor };

/** Bridge and supervisor, and what all parts share. The bridge has its state before a plugin can be started. */
async function startCore(options: AgentOptions, stores: Stores): Promise<Started> {
  const { layout, pins, clock, log } = options;
  const { generations, journal } = stores;
  const uid = process.getuid?.() ?? 0;
  const observer = makeObserver(pins, uid, clock);
  await observer.observe(generations.current(), "hash");
  const withheld: Core["withheld"] = new Set();
  const giveState = (bridge: BridgeClient): Promise<void> => tellBridge(bridge, options, stores, withheld);
  const started: { supervisor?: RunningSupervisor } = {};
  const bridges = keepBridge(options, {
    onLine: (line) => started.supervisor?.onLine(line),
    onNew: async (bridge) => {
      await bridge.ready;
      await giveState(bridge);
      for (const { id } of started.supervisor?.states() ?? []) await started.supervisor?.restart(id, "the bridge started anew");
    },
  });
  const telling = makeLane();
  const giveBridge = (): Promise<void> =>
    telling(async () => {
      try {
        await giveState(bridges.current());
      } catch (err) {
        if (!hasCode(err, "BRIDGE_GONE")) throw err;
        log.warn({}, "the bridge is gone; the next one gets the whole state before it hands out anything");
      }
    });
  await bridges.current().ready;
  await giveBridge();
  const onEvent = ({ kind, ...data }: SupervisorEvent): void =>
    void journal.append(kind, data).catch((err: unknown) => log.error(errorField(err), "an event could not be stored"));
  const supervisor = await options.startSupervisor({ bridge: sideOf(bridges.current), beforeStart: beforeStartOf(stores, uid), onEvent });
  started.supervisor = supervisor;
  const core: Core = {
    ...stores,
    pins,
    layout,
    log,
    clock,
    uid,
    observer,
    supervisor,
    withheld,
    stopped: new Set(),
    heldAsRevoked: new Map(),
    withTrees: makeLane(),
    giveBridge,
  };
  return { bridges, core, supervisor };
}

async function tellBridge(bridge: BridgeClient, { pins }: AgentOptions, stores: Stores, withheld: Core["withheld"]): Promise<void> {
  const accepted = stores.accepted.current();
  if (accepted === null) return; // it hands out nothing before its first state
  const generation = stores.generations.current();
  const revoked = stores.statements.revoked();
  await bridge.state(bridgeStateOf({ pins, accepted, generation, revoked, withheld, floor: latestSigned(stores) ?? timeOf(0) }));
}

/** Not of statements: one signer alone could date one far ahead and so end every lease and release here. */
function latestSigned({ accepted }: Stores): Time | null {
  return accepted.current()?.head.issued ?? null;
}

/** A run starts only from a tree of the current generation, every byte of it as signed. */
function beforeStartOf({ generations }: Stores, uid: number): BeforeStart {
  return async (run) => {
    const plugin = generations.current()?.plugins.find((each) => each.tree === run.tree && each.section.bundle === run.bundle);
    if (plugin === undefined) return false;
    return (await observeTree(plugin.tree, plugin.held, uid, new Map(), "hash")).length === 0;
  };
}

async function serveOn(
  { layout, uids, log, clock }: AgentOptions,
  core: Core,
  machine: Machine,
  { epoch }: Stores,
  observedGeneration: () => number,
): Promise<{ readonly stop: () => Promise<void> }> {
  const { observer, generations, journal } = core;
  const head = () => ({
    root: observer.last().answer.root,
    generation: generations.current()?.record.n ?? 0,
    observedGeneration: observedGeneration(),
  });
  const streams = eventStreams({ journal, hello: machine.hello, head, onHead: observer.onRoot, now: () => timeOf(clock()) });
  const routes = routesOf(machine, epoch, streams);
  const servers = [
    await listen(makeServer(routes, gateOf(machine, false), log), join(layout.run, "agent.sock"), uids?.sshGid ?? null),
    await listen(makeServer(routes, gateOf(machine, true), log), join(layout.run, "admin.sock"), null),
  ];
  return {
    stop: async () => {
      streams.stop();
      await Promise.all(servers.map(close));
    },
  };
}

/** The folders where a change of the generation shows. */
function watchedFolders(generation: Generation): readonly string[] {
  const trees = generation.plugins.flatMap(({ tree, held }) => foldersOf(held).map((folder) => join(tree, folder)));
  return [...new Set([generation.folder, join(generation.folder, "plugins"), ...trees])];
}
