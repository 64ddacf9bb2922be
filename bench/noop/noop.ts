import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startEmbeddedSshd } from "#test/support/embedded-sshd.ts";
import { removeSshAccount, type SshAccount, sshAccount } from "#test/support/ssh-account.ts";
import { findSshd, forcedLine, makeKeyPair, startSshd, type TestSshd } from "#test/support/sshd.ts";
import { buildOutputs } from "../../scripts/build.ts";
import { type Child, startChild } from "../child.ts";
import { cpuBelowMs, median, rounded } from "../cpu.ts";
import { type BenchFleet, FILE_BYTES, FILES, makeFleet, PLUGINS } from "./fleet.ts";
import type { FromHub, HostAddress, ToHub } from "./messages.ts";
import { type NoopResult, tableOf } from "./report.ts";

const REPO = join(import.meta.dirname, "../..");
// A hub runs for months: what is measured is a warm one. The first hundreds of sweeps cost two to three times as much, for the JIT (measured).
const WARM_SWEEPS = 500;
const SWEEPS_A_RUN = 5; // they are short, so a median of more of them
const WARM_REHASHES = 3;

type Flags = {
  readonly hosts: number;
  readonly runs: number;
  readonly idleSeconds: number;
  readonly processes: number;
  readonly json: boolean;
  /** Folder for a CPU profile of the hub. */
  readonly profile: string | null;
};

/** What asking a fleet that is in sync costs the hub: over links that are already open, and while nobody asks. */
export async function measureNoop(words: readonly string[]): Promise<void> {
  const flags = flagsOf(words);
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const result = await Promise.race([runNoop(flags, stops), interrupted()]);
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : tableOf(result));
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** Each thing that was started leaves in `stops` how it ends. */
async function runNoop(flags: Flags, stops: (() => Promise<void> | void)[]): Promise<NoopResult> {
  const say = (text: string): void => void process.stderr.write(`${text} …\n`);
  const dir = mkdtempSync(join(tmpdir(), "bn-"));
  const dist = join(REPO, "dist", `bench-${process.pid}`); // inside the repo: the bridge finds sodium-native from there
  stops.push(() => {
    for (const folder of [dir, dist]) rmSync(folder, { recursive: true, force: true });
  });
  chmodSync(dir, 0o711);
  const account = sshAccount();
  stops.push(removeSshAccount);
  await buildOutputs(dist, ["openclaw-lobster.mjs", "bridge.mjs", "unpack.mjs"]);
  const fleet = await makeFleet({ dir, dist, gid: account.gid, say, hosts: flags.hosts, processes: flags.processes });
  stops.push(fleet.stop);
  say(`starting ${flags.hosts} sshd`);
  const servers: TestSshd[] = [];
  stops.push(async () => {
    for (const server of servers) await server.stop();
  });
  const { addresses, privateKey } = await startServers(fleet, { account, dir, servers });
  const profile: Record<string, string> = flags.profile === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${flags.profile}` };
  const hub = startChild<ToHub, FromHub>(join(import.meta.dirname, "hub.ts"), profile);
  stops.push(hub.stop);
  say("logging in");
  await hub.ask({ t: "connect", hosts: addresses, privateKey });
  return measure(hub, flags, say);
}

function interrupted(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
  });
}

function flagsOf(words: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...words],
    options: {
      hosts: { type: "string", default: "100" },
      runs: { type: "string", default: "9" },
      "idle-seconds": { type: "string", default: "60" },
      "agent-processes": { type: "string", default: "10" },
      "cpu-prof": { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const hosts = count("--hosts", values.hosts);
  return {
    hosts,
    runs: Math.max(5, count("--runs", values.runs)),
    idleSeconds: count("--idle-seconds", values["idle-seconds"]),
    processes: Math.min(hosts, count("--agent-processes", values["agent-processes"])),
    json: values.json,
    profile: values["cpu-prof"] === undefined ? null : resolve(values["cpu-prof"]),
  };
}

function count(flag: string, text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`${flag} takes a whole number`);
  return Number(text);
}

/** One sshd a machine, with the one key of the hub and the machine's own launcher. */
async function startServers(
  fleet: BenchFleet,
  { account, dir, servers }: { readonly account: SshAccount; readonly dir: string; readonly servers: TestSshd[] },
): Promise<{ readonly addresses: readonly HostAddress[]; readonly privateKey: string }> {
  const key = makeKeyPair();
  const start = findSshd() === null ? startEmbeddedSshd : startSshd;
  const addresses: HostAddress[] = [];
  for (const { name, launcher, live } of fleet.machines) {
    const own = join(dir, "sshd", name);
    mkdirSync(own, { recursive: true, mode: 0o711 });
    const server = await start({ dir: own, account, authorizedKeys: [forcedLine(launcher, key.publicKey)] });
    servers.push(server);
    addresses.push({ name, port: server.port, username: account.name, hostKey: server.hostKey, root: live });
  }
  return { addresses, privateKey: key.privateKey };
}

async function measure(hub: Child<ToHub, FromHub>, flags: Flags, say: (text: string) => void): Promise<NoopResult> {
  say("sweeps");
  const sweeps = await repeated({ warm: WARM_SWEEPS, runs: flags.runs * SWEEPS_A_RUN }, () => hub.ask({ t: "sweep" }));
  say("re-hashes");
  const rehashes = await repeated({ warm: WARM_REHASHES, runs: flags.runs }, async () => {
    const before = cpuBelowMs([hub.pid]);
    const run = await hub.ask({ t: "rehash" });
    return { ...run, hostCpuMs: cpuBelowMs([hub.pid]) - before };
  });
  say(`${flags.idleSeconds} s of nothing`);
  const idle = await hub.ask({ t: "idle", seconds: flags.idleSeconds });
  const of = <T extends FromHub>(runs: readonly T[], pick: (run: T) => number): number => rounded(median(runs.map(pick)));
  return {
    hosts: flags.hosts,
    sweep: { wallMs: of(sweeps, (run) => run.wallMs), hubCpuMs: of(sweeps, (run) => run.cpuMs) },
    rehash: {
      wallMs: of(rehashes, (run) => run.wallMs),
      hubCpuMs: of(rehashes, (run) => run.cpuMs),
      hostCpuMs: of(rehashes, (run) => run.hostCpuMs),
    },
    idle: { requests: idle.requests, hubCpuPct: rounded((idle.cpuMs / idle.wallMs) * 100, 3) },
    hubRssMb: rounded(idle.rssMb),
    form: formOf(flags),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      load: loadavg().map((load) => rounded(load, 2)),
      node: process.version,
      ssh2Addon: idle.hasNativeCrypto,
    },
  };
}

async function repeated<T>({ warm, runs }: { readonly warm: number; readonly runs: number }, work: () => Promise<T>): Promise<T[]> {
  for (let i = 0; i < warm; i++) await work();
  const done: T[] = [];
  for (let i = 0; i < runs; i++) done.push(await work());
  return done;
}

function formOf({ hosts, processes, runs, idleSeconds }: Flags): string {
  const sshd = findSshd() === null ? `${hosts} embedded ssh2 servers in one process (no sshd here)` : `${hosts} OpenSSH sshd`;
  const share = hosts % processes === 0 ? `${hosts / processes} each` : `${Math.floor(hosts / processes)} or one more each`;
  return (
    `${sshd} on loopback, each with its own host key, launcher (nc) and agent socket; behind them ${hosts} agents (startAgent of lobster/serve, from source) ` +
    `in ${processes} processes, ${share}, every agent with its own bridge process (built), folders and generation 1 of a signed release: ` +
    `${PLUGINS} running sh plugins with ${FILES} files of ${FILE_BYTES} bytes. The agents' own 10 s sweeps are off, egress is not started, one uid. ` +
    `Hub = one process with reconciler/{ssh,agents}; medians of ${runs * SWEEPS_A_RUN} sweeps after ${WARM_SWEEPS} and of ${runs} re-hashes after ${WARM_REHASHES} to warm up; event streams open throughout; idle ${idleSeconds} s.`
  );
}
