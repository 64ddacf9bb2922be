import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentClient, agentClient } from "#reconciler/agents/index.ts";
import { connect, type ConnectOptions, type Link, type PinnedHost, pinsOf } from "#reconciler/ssh/index.ts";
import { layoutOf } from "#lobster/init/index.ts";
import { findNc, launcherText } from "#lobster/init/launcher.ts";
import { isRoot, removeSshAccount, type SshAccount, sshAccount } from "#test/support/ssh-account.ts";
import { forcedLine, type KeyPair, makeKeyPair, type SshdOptions, type TestSshd } from "#test/support/sshd.ts";

export type Starter = (options: SshdOptions) => Promise<TestSshd>;
export type WorldOptions = {
  readonly launcher?: (nc: string) => string;
  readonly maxSessions?: number;
};

/** One machine's way in: an account, a hub key, a server that forces the real launcher, and in the agent's place what a test serves there. */
export class World {
  readonly dir = mkdtempSync(join(tmpdir(), "ssh-"));
  readonly account: SshAccount = sshAccount();
  readonly key: KeyPair = makeKeyPair();
  readonly launcher = join(this.dir, "launcher");
  readonly agentSocket: string;
  /** Channels as the agent sees them. */
  readonly seen: Socket[] = [];
  readonly #stops: (() => Promise<void> | void)[] = [];
  #sshd: TestSshd | null = null;

  constructor() {
    const layout = layoutOf(this.dir);
    mkdirSync(layout.run);
    this.agentSocket = join(layout.run, "agent.sock");
    for (const folder of [this.dir, layout.run]) chmodSync(folder, 0o711);
  }

  static async open(start: Starter, options: WorldOptions = {}): Promise<World> {
    const world = new World();
    const nc = findNc();
    if (nc === null) throw new Error("no nc on this machine: install netcat-openbsd");
    // A line for each run, so that a test sees that nothing ran.
    const real = launcherText(layoutOf(world.dir), nc, process.execPath, "/nowhere");
    writeFileSync(world.launcher, options.launcher?.(nc) ?? real.replace("#!/bin/sh\n", `#!/bin/sh\necho run >> '${world.dir}/runs'\n`));
    chmodSync(world.launcher, 0o755);
    writeFileSync(join(world.dir, "runs"), "");
    if (isRoot) chownSync(join(world.dir, "runs"), world.account.uid, world.account.gid);
    const { account, dir } = world;
    world.#sshd = await start({ dir, account, authorizedKeys: [forcedLine(world.launcher, world.key.publicKey)], ...options });
    return world;
  }

  get sshd(): TestSshd {
    if (this.#sshd === null) throw new Error("no server");
    return this.#sshd;
  }

  get runs(): number {
    return readFileSync(join(this.dir, "runs"), "utf8").split("\n").length - 1;
  }

  host(change: Partial<PinnedHost> = {}): PinnedHost {
    return {
      name: "mini-01",
      address: "127.0.0.1",
      port: this.sshd.port,
      username: this.account.name,
      pins: pinsOf([this.sshd.hostKey], "mini-01"),
      ...change,
    };
  }

  async link(host: Partial<PinnedHost> = {}, options: Partial<ConnectOptions> = {}): Promise<Link> {
    const link = await connect(this.host(host), { privateKey: this.key.privateKey, signal: new AbortController().signal, ...options });
    this.#stops.push(() => link.close());
    return link;
  }

  async client(times: Parameters<typeof agentClient>[3] = {}): Promise<AgentClient & { readonly link: Link }> {
    const link = await this.link();
    return Object.assign(agentClient("mini-01", link, new AbortController().signal, times), { link });
  }

  /** Puts `listener` in the agent's place. */
  async serve(listener: http.RequestListener, options: http.ServerOptions = {}): Promise<http.Server> {
    const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, ...options }, listener);
    await this.listen(server);
    return server;
  }

  /** Puts raw bytes in the agent's place. */
  async serveRaw(onChannel: (socket: Socket) => void): Promise<void> {
    await this.listen(net.createServer(onChannel));
  }

  async listen(server: net.Server): Promise<void> {
    rmSync(this.agentSocket, { force: true });
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => socket.destroy());
      this.seen.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(this.agentSocket, resolve));
    if (isRoot) chownSync(this.agentSocket, 0, this.account.gid);
    chmodSync(this.agentSocket, 0o660);
    this.#stops.push(() => {
      for (const socket of this.seen) socket.destroy();
      server.close();
    });
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
    await this.#sshd?.stop();
    if (existsSync(this.dir)) rmSync(this.dir, { recursive: true });
    removeSshAccount();
  }
}

/** Looks until `isSo`; the runner ends a test that waits for ever. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export function json(res: http.ServerResponse, value: unknown, status = 200): void {
  const text = JSON.stringify(value);
  res.writeHead(status, { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) });
  res.end(text);
}

const DIGEST = `sha256:${"0".repeat(64)}`;

export const HELLO = {
  fleet: "acme",
  machine: "mini-01",
  incarnation: 1,
  bootId: "b",
  agent: "0.1.0",
  wire: [1],
  features: [],
  epoch: 1,
  generation: 0,
  observedGeneration: 0,
  revision: null,
  release: null,
  trust: DIGEST,
  root: DIGEST,
  stream: { id: "s", first: 1, last: 0 },
  now: "2026-11-25T00:00:00.000Z",
};
