import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canon, fromBase64 } from "#base/canonical/index.ts";
import { type Log, lineLog } from "#base/log/index.ts";
import { forkBridge } from "#bridge/client/index.ts";
import { initMachine, layoutOf } from "#lobster/init/index.ts";
import type { Layout } from "#lobster/contract.ts";
import { createSupervisor } from "#lobster/run/index.ts";
import { type Agent, startAgent } from "#lobster/serve/index.ts";
import type { WatchTimes } from "#lobster/watch/index.ts";
import type { AgentEvent, ApplyPhase, Hello, LiveAnswer, MachineId, MachineStatement, Pins } from "#schemas/wire/index.ts";
import type { FleetFixture, FixturePlugin } from "#test/support/fleet-fixture.ts";

export const BRIDGE_ENTRY = join(import.meta.dirname, "../../enclave-bridge/device/main.ts");
export const UNPACK_ENTRY = join(import.meta.dirname, "../../bundle/read/child.ts");

export type Reply = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string; readonly json: never };
export type Ask = {
  readonly method?: string;
  readonly body?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly epoch?: number;
  readonly admin?: boolean;
};

/** A machine with its own folders and real keys, and an agent with real bridge and supervisor, all under one uid, in this process. */
export class TestAgent {
  readonly layout: Layout;
  readonly pins: Pins;
  readonly name: MachineId;
  readonly logged: string[] = [];
  readonly clock = { skewMs: 0 };
  /** Of each bridge that was started, the newest last. */
  readonly bridgePids: number[] = [];
  epoch = 1;
  agent: Agent | null = null;

  constructor(layout: Layout, pins: Pins) {
    this.layout = layout;
    this.pins = pins;
    this.name = pins.machine;
  }

  /** A new machine, enrolled in `fleet`. */
  static async make(fleet: FleetFixture, name = "mini-01", watch?: Partial<WatchTimes>): Promise<TestAgent> {
    const root = mkdtempSync(join(tmpdir(), "ag-"));
    const layout = layoutOf(root);
    const pins = {
      v: 1,
      fleet: fleet.fleet,
      machine: name as MachineId,
      incarnation: 1,
      trust: fleet.pin,
      driver: "software",
      allowSoftwareKeys: true,
    } as const;
    mkdirSync(join(fleet.dir, "pins"), { recursive: true });
    writeFileSync(join(fleet.dir, "pins", `${name}.json`), canon(pins));
    const signed = await initMachine({
      layout,
      pinsFile: join(fleet.dir, "pins", `${name}.json`),
      uids: null,
      bridgeEntry: BRIDGE_ENTRY,
      agentEntry: "/nowhere",
    });
    fleet.addMachine(JSON.parse(new TextDecoder().decode(fromBase64(signed.bytes, "statement"))) as MachineStatement);
    const made = new TestAgent(layout, pins);
    await made.start(watch);
    return made;
  }

  async start(watch: Partial<WatchTimes> = {}): Promise<void> {
    this.agent = await startTestAgent(this.layout, this.pins, {
      clock: () => Date.now() + this.clock.skewMs,
      log: lineLog((line) => this.logged.push(line), Date.now),
      onBridge: (pid) => this.bridgePids.push(pid),
      watch: { settleMs: 5, sweepMs: 60_000, rehashMs: 3_600_000, ...watch },
    });
  }

  async stop(): Promise<void> {
    await this.agent?.stop();
    this.agent = null;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.layout.root, { recursive: true, force: true });
  }

  ask(path: string, ask: Ask = {}): Promise<Reply> {
    return askSocket(join(this.layout.run, ask.admin === true ? "admin.sock" : "agent.sock"), path, { epoch: this.epoch, ...ask });
  }

  async get<T>(path: string): Promise<T> {
    return (await this.ask(path)).json;
  }

  hello(): Promise<Hello> {
    return this.get("/v1/hello");
  }

  live(): Promise<LiveAnswer> {
    return this.get("/v1/live?fresh=hash");
  }

  /** PUT of the fleet's head as the hub would send it now. */
  async apply(
    fleet: FleetFixture,
    change: Partial<ReturnType<FleetFixture["applyFor"]>["body"]> = {},
  ): Promise<Reply & { readonly id: string }> {
    const { root, generation } = await this.hello();
    const at = { epoch: this.epoch, ifRoot: root, ifGeneration: generation, ...change };
    const { id, body } = fleet.applyFor(this.name, at);
    return { ...(await this.ask(`/v1/applies/${id}`, { method: "PUT", body })), id };
  }

  async sendPack(fleet: FleetFixture, ...plugins: readonly FixturePlugin[]): Promise<Reply> {
    const { digest, bytes } = fleet.packFor(this.name, ...plugins);
    return this.ask(`/v1/packs/${digest}`, { method: "PUT", bytes, headers: { "upload-offset": "0" } });
  }

  /** Apply, pack, and the phase it ends in. */
  async converge(fleet: FleetFixture, ...plugins: readonly FixturePlugin[]): Promise<ApplyPhase> {
    const { id, status, text } = await this.apply(fleet);
    if (status !== 202) throw new Error(`apply: ${status} ${text}`);
    if ((await this.get<ApplyPhase>(`/v1/applies/${id}`)).at === "waiting") {
      const sent = await this.sendPack(fleet, ...plugins);
      if (sent.status !== 201) throw new Error(`pack: ${sent.status} ${sent.text}`);
    }
    return this.ended(id);
  }

  async ended(id: string): Promise<ApplyPhase> {
    await this.agent?.idle();
    return this.get(`/v1/applies/${id}`);
  }

  /** The unacked events, read from the stream until it is idle. */
  async events(): Promise<readonly AgentEvent[]> {
    const { last } = (await this.hello()).stream;
    if (last === 0) return [];
    return new Promise((resolve, reject) => {
      const asked = request(
        { socketPath: join(this.layout.run, "agent.sock"), path: "/v1/events", headers: { "mooring-wire": "1" } },
        (res) => {
          let text = "";
          res.setEncoding("utf8");
          res.on("data", (part: string) => {
            text += part;
            const found = parseEvents(text);
            if ((found.at(-1)?.seq ?? 0) < last) return;
            asked.destroy();
            resolve(found);
          });
          res.on("error", () => null);
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  }

  /** Resolves when the unacked events hold one that `wanted` accepts. */
  async event(wanted: (event: AgentEvent) => boolean): Promise<AgentEvent> {
    return poll(async () => (await this.events()).find(wanted));
  }
}

export function startTestAgent(
  layout: Layout,
  pins: Pins,
  more: {
    readonly clock: () => number;
    readonly log: Log;
    readonly watch?: WatchTimes;
    readonly onBridge?: (pid: number) => void;
    readonly settleMs?: number;
  },
): Promise<Agent> {
  return startAgent({
    layout,
    pins,
    uids: null,
    version: "0.1.0",
    startBridge: (hooks) => {
      const bridge = forkBridge({ entry: BRIDGE_ENTRY, dir: layout.bridge, allowSoftwareKeys: true, ...hooks });
      more.onBridge?.(bridge.pid ?? 0);
      return bridge;
    },
    startSupervisor: (deps) =>
      createSupervisor({
        ...deps,
        uids: null,
        layout,
        clock: Date.now,
        rng: Math.random,
        log: more.log,
        settleMs: more.settleMs ?? 100,
        graceMs: 2_000,
      }),
    startEgress: null,
    unpack: { exec: process.execPath, args: [UNPACK_ENTRY] },
    ...more,
  });
}

export function askSocket(socketPath: string, path: string, ask: Ask): Promise<Reply> {
  const payload = ask.bytes ?? (ask.body === undefined ? null : Buffer.from(JSON.stringify(ask.body)));
  const headers: Record<string, string> = {
    "mooring-wire": "1",
    ...(ask.epoch === undefined ? {} : { "mooring-epoch": String(ask.epoch) }),
    ...(payload === null ? {} : { "content-length": String(payload.length) }),
    ...ask.headers,
  };
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: ask.method ?? "GET", path, headers, agent: false }, (res) => {
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (part: string) => (text += part));
      res.on("error", reject);
      res.on("end", () => {
        const isJson = (res.headers["content-type"] ?? "").includes("json") && !text.includes("}\n{");
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          text,
          json: (isJson && text !== "" ? JSON.parse(text) : null) as never,
        });
      });
    });
    asked.on("error", reject);
    asked.end(payload ?? undefined);
  });
}

export function parseEvents(text: string): AgentEvent[] {
  const whole = text.slice(0, text.lastIndexOf("\n\n") + 1);
  return whole.split("\n\n").flatMap((frame) => {
    const lines = frame.split("\n");
    if (!lines.includes("event: event")) return [];
    return [JSON.parse(lines.find((line) => line.startsWith("data: "))?.slice(6) ?? "null") as AgentEvent];
  });
}

/** Looks again until something is found; a test that waits for ever is ended by the runner. */
export async function poll<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
