import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sleep } from "#base/time/index.ts";
import { isRoot, type SshAccount } from "./ssh-account.ts";

export type SshdOptions = {
  /** A folder of this server's own that `account` can enter; configuration, host key, log and pid file go there. */
  readonly dir: string;
  /** Whom its one login is for. As root any account; else it can only be the present user. */
  readonly account: Pick<SshAccount, "name">;
  /** Lines of authorized_keys; see `forcedLine`. */
  readonly authorizedKeys: readonly string[];
  /** A free one unless given. */
  readonly port?: number;
  /** Channels of one connection; 10, as sshd itself has it. */
  readonly maxSessions?: number;
  readonly logLevel?: "ERROR" | "VERBOSE" | "DEBUG1";
  /** More lines of sshd_config, by name. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type TestSshd = {
  readonly port: number;
  /** "ssh-ed25519 AAAA…", as in spec.hostKeys. */
  readonly hostKey: string;
  readonly pid: number;
  /** What it logged so far. */
  readonly log: () => string;
  /** Ends the server and every session of it; resolves when its process is gone. */
  readonly stop: () => Promise<void>;
};

export type KeyPair = { readonly privateKey: string; readonly publicKey: string };

/** Where OpenSSH's sshd is on this machine, or null. */
export function findSshd(): string | null {
  return ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/opt/homebrew/sbin/sshd"].find(existsSync) ?? null;
}

/** An ed25519 key by ssh-keygen: OpenSSH text of the private one, "ssh-ed25519 AAAA…" of the public one. No file of it stays. */
export function makeKeyPair(passphrase = ""): KeyPair {
  const dir = mkdtempSync(join(tmpdir(), "key-"));
  try {
    return { privateKey: writeKeyPair(join(dir, "k"), passphrase), publicKey: publicKeyOf(join(dir, "k")) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The line that lets the owner of `publicKey` run `launcher` (absolute path) and nothing else. */
export function forcedLine(launcher: string, publicKey: string): string {
  return `restrict,command="${launcher}" ${publicKey}`;
}

/** A real OpenSSH sshd on loopback, hardened like the ones we ask for; throws when this machine has none. Nothing of the system's own sshd is used:
 *  configuration, host key and authorized keys are made here. */
export async function startSshd(options: SshdOptions): Promise<TestSshd> {
  const program = findSshd();
  if (program === null) throw new Error("no sshd on this machine: install openssh-server");
  // Its privilege separation needs this empty folder; packages make it at boot, containers have none.
  if (isRoot && process.platform === "linux") mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const hostKeyFile = join(options.dir, "host_key");
  if (!existsSync(hostKeyFile)) writeKeyPair(hostKeyFile);
  writeFileSync(join(options.dir, "authorized_keys"), options.authorizedKeys.map((line) => `${line}\n`).join(""), { mode: 0o644 });
  const hostKey = publicKeyOf(hostKeyFile);
  for (let left = 5; ; left--) {
    const port = options.port ?? (await freePort());
    writeFileSync(join(options.dir, "sshd_config"), configOf(options, port));
    const started = await listening(
      spawn(program, ["-D", "-e", "-f", join(options.dir, "sshd_config")], { stdio: ["ignore", "ignore", "pipe"] }),
    );
    if ("child" in started) return handleOf(started, port, hostKey);
    // Between finding a free port and listening on it somebody else may take it.
    if (left === 0 || options.port !== undefined || !started.log.includes("in use")) throw new Error(`sshd did not start:\n${started.log}`);
  }
}

type Started = { readonly child: ChildProcess; readonly log: () => string } | { readonly log: string };

async function listening(child: ChildProcess): Promise<Started> {
  if (child.stderr === null) throw new Error("sshd without stderr");
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr });
  const isUp = await new Promise<boolean>((resolve) => {
    reader.on("line", (line) => {
      lines.push(line);
      if (line.startsWith("Server listening on")) resolve(true);
    });
    child.once("exit", () => reader.once("close", () => resolve(false)));
  });
  const log = (): string => lines.join("\n");
  return isUp ? { child, log } : { log: log() };
}

function handleOf({ child, log }: Extract<Started, { child: ChildProcess }>, port: number, hostKey: string): TestSshd {
  const pid = child.pid ?? 0;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const sessions = descendants(pid); // they outlive the listener, which is their parent only until it ends
    child.kill("SIGTERM");
    await ended;
    for (const session of sessions) endProcess(session, "SIGTERM");
    for (let tries = 0; tries < 200 && sessions.some(isRunning); tries++) await sleep(10);
    for (const session of sessions.filter(isRunning)) endProcess(session, "SIGKILL");
  };
  return { port, hostKey, pid, log, stop };
}

function configOf({ dir, account, maxSessions = 10, logLevel = "VERBOSE", settings: more = {} }: SshdOptions, port: number): string {
  const settings: Readonly<Record<string, string | number>> = {
    Port: port,
    ListenAddress: "127.0.0.1",
    HostKey: join(dir, "host_key"),
    PidFile: join(dir, "sshd.pid"),
    AuthorizedKeysFile: join(dir, "authorized_keys"),
    AllowUsers: account.name,
    AuthenticationMethods: "publickey",
    PasswordAuthentication: "no",
    KbdInteractiveAuthentication: "no",
    PermitRootLogin: "prohibit-password", // only for a test run as root that logs in as root
    UsePAM: "no",
    StrictModes: "no", // it refuses keys below a folder that all may write, such as /tmp
    DisableForwarding: "yes",
    AllowTcpForwarding: "no",
    AllowAgentForwarding: "no",
    X11Forwarding: "no",
    PermitTunnel: "no",
    PermitUserRC: "no",
    PermitUserEnvironment: "no",
    PrintMotd: "no",
    PrintLastLog: "no",
    UseDNS: "no",
    MaxSessions: maxSessions,
    MaxStartups: "100:30:200",
    LogLevel: logLevel === "ERROR" ? "INFO" : logLevel, // "Server listening" is said at INFO
    ...more,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Every process below `root`, children before grandchildren. */
export function descendants(root: number): readonly number[] {
  const table = execFileSync("ps", ["-axo", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found) for (const [pid, of] of table) if (of === parent && pid !== undefined) found.push(pid);
  return found.slice(1);
}

function isRunning(pid: number): boolean {
  const state = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return state !== "" && !state.startsWith("Z");
}

function endProcess(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== "ESRCH") throw err; // it ended with its listener
  }
}

function writeKeyPair(file: string, passphrase = ""): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", file]);
  return readFileSync(file, "utf8");
}

function publicKeyOf(file: string): string {
  return readFileSync(`${file}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" ");
}
