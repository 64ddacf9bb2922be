import { chownSync, cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canon, fromBase64 } from "#base/canonical/index.ts";
import { lineLog } from "#base/log/index.ts";
import { forkBridge } from "#bridge/client/index.ts";
import { initMachine, layoutOf } from "#lobster/init/index.ts";
import { createSupervisor } from "#lobster/run/index.ts";
import { type Agent, startAgent } from "#lobster/serve/index.ts";
import { VERSION } from "#lobster/version.ts";
import type { ApplyPhase, LiveAnswer } from "#schemas/wire/index.ts";
import { askSocket } from "#test/lobster/support.ts";
import { answerWith } from "../child.ts";
import type { FromHosts, ToHosts } from "./messages.ts";

// One process with several whole agents in it: `openclaw-lobster serve` without its command line, each with folders, bridge process, plugins and
// sockets of its own.
const agents: Agent[] = [];
const log = lineLog((line) => (line.includes('"level":"error"') ? process.stderr.write(line) : undefined), Date.now);
// On a machine of its own an agent looks after its files each 10 s; a hundred of them on one machine would measure that instead.
const NO_SWEEPS = { settleMs: 15, sweepMs: 86_400_000, rehashMs: 86_400_000 };
const HOUR = 3_600_000;

answerWith(
  (question: ToHosts): Promise<FromHosts> => (question.t === "init" ? init(question) : start(question)),
  async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
  },
);

async function init({ root, pins, dist }: Extract<ToHosts, { t: "init" }>): Promise<FromHosts> {
  const pinsFile = `${root}.pins.json`;
  writeFileSync(pinsFile, canon(pins));
  const made = await initMachine({
    layout: layoutOf(root),
    pinsFile,
    uids: null,
    bridgeEntry: join(dist, "bridge.mjs"),
    agentEntry: join(dist, "openclaw-lobster.mjs"),
  });
  return { statement: new TextDecoder().decode(fromBase64(made.bytes, "statement")) };
}

async function start(wanted: Extract<ToHosts, { t: "start" }>): Promise<FromHosts> {
  const { root, pins, dist, gid, apply, pack, contentFrom } = wanted;
  const layout = layoutOf(root);
  if (contentFrom !== null) cpSync(contentFrom, layout.content, { recursive: true });
  agents.push(
    await startAgent({
      layout,
      pins,
      uids: null,
      version: VERSION,
      clock: Date.now,
      log,
      startBridge: (hooks) => forkBridge({ entry: join(dist, "bridge.mjs"), dir: layout.bridge, allowSoftwareKeys: true, ...hooks }),
      startSupervisor: (deps) => createSupervisor({ ...deps, uids: null, layout, clock: Date.now, rng: Math.random, log, settleMs: 20 }),
      startEgress: null,
      unpack: { exec: process.execPath, args: [join(dist, "unpack.mjs")] },
      watch: NO_SWEEPS,
    }),
  );
  const socket = join(layout.run, "agent.sock");
  if (process.getuid?.() === 0) chownSync(socket, 0, gid);
  const put = await askSocket(socket, `/v1/applies/${apply.id}`, { method: "PUT", body: apply.body, epoch: 1 });
  if (put.status !== 202) throw new Error(`${pins.machine}: apply answered ${put.status} ${put.text}`);
  if (pack !== null) {
    const bytes = fromBase64(pack.base64, "pack");
    const sent = await askSocket(socket, `/v1/packs/${pack.digest}`, { method: "PUT", bytes, epoch: 1, headers: { "upload-offset": "0" } });
    if (sent.status !== 201) throw new Error(`${pins.machine}: pack answered ${sent.status} ${sent.text}`);
  }
  await untilDone(socket, apply.id, pins.machine);
  return { root: ((await askSocket(socket, "/v1/live?fresh=hash", {})).json as LiveAnswer).root };
}

async function untilDone(socket: string, id: string, machine: string): Promise<void> {
  for (const end = Date.now() + HOUR; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const phase = (await askSocket(socket, `/v1/applies/${id}`, {})).json as ApplyPhase;
    if (phase.at === "done") return;
    if (phase.at === "undone") throw new Error(`${machine}: undone, ${phase.reason}: ${phase.message}`);
  }
  throw new Error(`${machine}: the apply does not end`);
}
