import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import { dirname, join } from "node:path";
import { canon, fromBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Log, lineLog } from "#base/log/index.ts";
import { sleep, timeOf } from "#base/time/index.ts";
import { initVault, pinTrust, runVault } from "#bridge/vault/index.ts";
import { type Packed, packPlugin } from "#bundle/pack/index.ts";
import { signStatement, statementFor } from "#bundle/statement/index.ts";
import { lockOf, lockText } from "#cli/plugin/index.ts";
import { secretRefAdd } from "#cli/secret-ref/index.ts";
import type { Layout } from "#lobster/contract.ts";
import { initMachine, layoutOf } from "#lobster/init/index.ts";
import type { Agent } from "#lobster/serve/index.ts";
import { composeStatement } from "#proof/release/index.ts";
import { hintOf } from "#proof/sigstore/index.ts";
import { openBundleStore } from "#reconciler/bundles/index.ts";
import { type Hub, makeHub } from "#reconciler/hub/index.ts";
import { type Dial, openBindingBook, openEventBook } from "#reconciler/machine/index.ts";
import { witnessOf } from "#reconciler/recovery/index.ts";
import { type HubKey, hubSigning } from "#reconciler/signing/index.ts";
import { vaultClient } from "#reconciler/secrets/index.ts";
import type { Link } from "#reconciler/ssh/index.ts";
import type { FleetId, MachineId, MachineStatement, Pins, SecretRef, SignedStatement } from "#schemas/wire/index.ts";
import { assembleGreeter, packGreeter } from "../../examples/plugins/build.ts";
import { BRIDGE_ENTRY, startTestAgent } from "#test/lobster/support.ts";
import { RepoFleet } from "./repo-fleet.ts";

export const MACHINES = ["mini-01", "mini-02", "mini-03"] as const;
export const SECRET = "secret://team/greeting" as SecretRef;

type Machine = { layout: Layout; readonly pins: Pins; agent: Agent | null; isReachable: boolean; links: number };

/** A whole fleet in one process, under one uid: git repo, vault on its socket, three real agents with bridge and supervisor, and a hub that reaches
 *  them over their sockets (what SSH adds is tested with SSH). */
export class World {
  readonly fleet: RepoFleet;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly logged: string[] = [];
  hub: Hub | null = null;
  readonly #pluginKey: KeyObject;
  readonly #vault: { stop(): Promise<void> };
  readonly #log: Log = lineLog((line) => this.logged.push(line), Date.now);
  #running: Promise<void> = Promise.resolve();

  private constructor(fleet: RepoFleet, machines: ReadonlyMap<string, Machine>, pluginKey: KeyObject, vault: { stop(): Promise<void> }) {
    this.fleet = fleet;
    this.machines = machines;
    this.#pluginKey = pluginKey;
    this.#vault = vault;
  }

  /** Everything enrolled, committed and released, agents running, no hub yet. */
  static async make(): Promise<World> {
    const fleet = await RepoFleet.make();
    fleet.now = Date.now();
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    fleet.tree = { ...fleet.tree, "trust/keys/release.pub": pair.publicKey.export({ type: "spki", format: "pem" }).toString() };
    const dir = join(fleet.folder, "vault");
    const keys = await initVault({ dir, fleet: "acme" as FleetId, trust: null, insecurePlainKeys: true });
    const signers = (fleet.tree["trust/allowed_signers"] ?? "").replace(
      /^vault .*$/m,
      `vault namespaces="mooring-secrets" ${keys.signer.key}`,
    );
    fleet.tree = { ...fleet.tree, "trust/allowed_signers": signers, "trust/recipients": `${keys.recipient}\n` };
    await addSecret(fleet, keys.recipient);
    await pinPlugin(fleet, pair.privateKey, "1.0.0", 1);
    const { trustLeaf } = await fleet.resolved();
    await pinTrust(dir, trustLeaf);
    const machines = new Map<string, Machine>();
    for (const name of MACHINES) machines.set(name, await enrol(fleet, name, trustLeaf));
    await fleet.commit();
    await fleet.release(["a@acme.dev", "b@acme.dev", "security@acme.dev"]);
    const log = lineLog(() => undefined, Date.now);
    const vault = await runVault({
      dir,
      socket: join(fleet.folder, "v.sock"),
      group: null,
      log,
      now: Date.now,
      uid: process.getuid?.() ?? 0,
      onCrash: () => undefined,
    });
    const world = new World(fleet, machines, pair.privateKey, vault);
    for (const name of MACHINES) await world.startAgent(name);
    return world;
  }

  /** `settleMs` = how long a plugin must live to count as one that came up. */
  async startAgent(name: string, settleMs = 100): Promise<void> {
    const machine = this.machine(name);
    machine.agent = await startTestAgent(machine.layout, machine.pins, {
      clock: Date.now,
      log: this.#log,
      watch: { settleMs: 5, sweepMs: 60_000, rehashMs: 3_600_000 },
      settleMs,
    });
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`no machine ${name}`);
    return machine;
  }

  /** Starts a hub; the same folder again is that hub restarted. */
  async startHub(
    more: { readonly pollMs?: number; readonly loop?: string; readonly asksMachines?: boolean; readonly key?: HubKey } = {},
  ): Promise<Hub> {
    const folder = join(this.fleet.folder, more.loop ?? "hub");
    await mkdir(folder, { recursive: true });
    const dial: Dial = (host, signal) => this.#dial(host.name, signal);
    const vault = vaultClient({ socket: join(this.fleet.folder, "v.sock"), uid: process.getuid?.() ?? 0, insecureOneUid: true });
    const hub = makeHub({
      source: await this.fleet.loop(
        more.loop ?? "hub",
        undefined,
        more.asksMachines === false ? null : witnessOf(dial, vault, this.#log, 1_500),
      ),
      clock: Date.now,
      random: Math.random,
      log: this.#log,
      pollMs: more.pollMs ?? 50,
      signing:
        more.key === undefined
          ? null
          : hubSigning({
              key: more.key,
              pin: (await this.fleet.resolved()).trustLeaf,
              source: { url: this.fleet.gitdir },
              clock: Date.now,
              random: Math.random,
            }),
      worker: {
        hub: "test",
        dial,
        log: this.#log,
        book: openEventBook(join(folder, "events")),
        bundles: openBundleStore(join(folder, "bundles")),
        vault,
        bindings: openBindingBook(join(folder, "bindings")),
        clock: Date.now,
        random: Math.random,
      },
    });
    this.hub = hub;
    this.#running = hub.run();
    return hub;
  }

  async stopHub(): Promise<void> {
    await this.hub?.stop();
    await this.#running;
    this.hub = null;
  }

  /** Pins another version of the greeter in the tree; commit and release are the test's. */
  /** Pins another version into the tree; `main` = what its main.js holds instead of the greeter. */
  bump(version: string, serial: number, main?: string): Promise<void> {
    return pinPlugin(this.fleet, this.#pluginKey, version, serial, main);
  }

  revoke(name: string): SignedStatement {
    const bytes = composeStatement({
      t: "mooring/action/v1",
      fleet: "acme" as FleetId,
      action: "revoke",
      target: { kind: "secret", name },
      machines: "all",
      reason: "test",
      issued: timeOf(Date.now()),
      expires: null,
    });
    const signer = this.fleet.signers.get("ops@acme.dev");
    return {
      bytes: Buffer.from(bytes).toString("base64") as SignedStatement["bytes"],
      sigs: [signer?.sign(bytes, "mooring-action") ?? ""],
    };
  }

  /** Views by machine, once all that `wanted` names fit. */
  async until(
    fits: (view: NonNullable<ReturnType<Hub["machines"]>[number]["view"]>) => boolean,
    names: readonly string[] = MACHINES,
  ): Promise<void> {
    for (;;) {
      const views = this.hub?.machines() ?? [];
      if (names.every((name) => views.some(({ name: each, view }) => each === name && view !== null && fits(view)))) return;
      await sleep(10);
    }
  }

  /** Lines of the greeter on one machine so far. */
  lines(name: string): readonly string[] {
    return this.#read.get(name) ?? [];
  }
  readonly #read = new Map<string, string[]>();

  /** Follows the greeter's lines of a machine through its agent. */
  async follow(name: string): Promise<void> {
    const lines: string[] = [];
    this.#read.set(name, lines);
    const socket = net.connect(join(this.machine(name).layout.run, "agent.sock"));
    await once(socket, "connect");
    socket.on("error", () => socket.destroy());
    socket.write("GET /v1/logs?plugin=greeter&follow=1 HTTP/1.1\r\nHost: x\r\nMooring-Wire: 1\r\n\r\n");
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => lines.push(...text.split("\n")));
    socket.unref();
  }

  async close(): Promise<void> {
    await this.stopHub();
    for (const { agent } of this.machines.values()) await agent?.stop();
    await this.#vault.stop();
    await this.fleet.close();
  }

  async #dial(name: string, signal: AbortSignal): Promise<Link> {
    const machine = this.machine(name);
    if (!machine.isReachable) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true })); // as a host that drops every packet
      throw new MooringError("SSH_UNREACHABLE", name);
    }
    machine.links += 1;
    const sockets = new Set<net.Socket>();
    let gone = (): void => undefined;
    const closed = new Promise<void>((resolve) => (gone = resolve));
    return {
      closed,
      close: () => {
        for (const socket of sockets) socket.destroy();
        gone();
      },
      channel: async () => {
        const socket = net.connect(join(machine.layout.run, "agent.sock"));
        sockets.add(socket);
        await once(socket, "connect");
        return socket;
      },
    };
  }
}

async function addSecret(fleet: RepoFleet, recipient: string): Promise<void> {
  const repoDir = join(fleet.folder, "checkout");
  const added = await secretRefAdd({
    repoDir,
    ref: SECRET,
    value: Buffer.from("hello from the vault"),
    recipients: [recipient],
    now: Date.now,
  });
  for (const path of added.paths) {
    await mkdir(dirname(join(repoDir, path)), { recursive: true });
    fleet.tree = { ...fleet.tree, [path]: await readFile(join(repoDir, path), "utf8") };
  }
}

async function packWith(fleet: RepoFleet, version: string, main: string): Promise<Packed> {
  const dir = join(fleet.folder, `greeter-${version}`);
  await assembleGreeter(version, dir);
  await writeFile(join(dir, "dist/main.js"), main);
  return packPlugin(dir);
}

async function pinPlugin(fleet: RepoFleet, key: KeyObject, version: string, serial: number, main?: string): Promise<void> {
  const packed = main === undefined ? await packGreeter(version) : await packWith(fleet, version, main);
  const statement = statementFor(packed, serial);
  const spki = publicOf(key);
  const json = await signStatement(statement, hintOf(spki), (bytes) => sign("sha256", bytes, key));
  const file = join(fleet.folder, `greeter-${version}.tgz`);
  await writeFile(file, packed.tgz);
  await writeFile(`${file}.sigstore.json`, json);
  const doc = (fleet.tree["plugins/greeter.yaml"] ?? "")
    .replace(/version: .*/, `version: ${version}`)
    .replace(/source: .*/, `source: { url: "file://${file}" }`)
    .replace(/digest: .*/, `digest: ${packed.digest}`);
  fleet.tree = { ...fleet.tree, "plugins/greeter.yaml": doc, "plugins/greeter.lock.json": lockText(lockOf(statement)) };
}

function publicOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

async function enrol(fleet: RepoFleet, name: string, trust: Pins["trust"]): Promise<Machine> {
  const layout = layoutOf(join(fleet.folder, name));
  const pins: Pins = {
    v: 1,
    fleet: "acme" as FleetId,
    machine: name as MachineId,
    incarnation: 1,
    trust,
    driver: "software",
    allowSoftwareKeys: true,
  };
  const pinsFile = join(fleet.folder, `${name}.pins.json`);
  await writeFile(pinsFile, canon(pins));
  const signed = await initMachine({ layout, pinsFile, uids: null, bridgeEntry: BRIDGE_ENTRY, agentEntry: "/nowhere" });
  const said = JSON.parse(new TextDecoder().decode(fromBase64(signed.bytes, "statement"))) as MachineStatement;
  const path = `machines/${name}.yaml`;
  const doc = (fleet.tree[path] ?? "").replace(/kx: .*/, `kx: ${said.kx}`).replace(/sig: .*/, `sig: ${said.sig}`);
  fleet.tree = { ...fleet.tree, [path]: doc };
  return { layout, pins, agent: null, isReachable: true, links: 0 };
}
