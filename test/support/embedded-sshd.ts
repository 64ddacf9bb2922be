import { type ChildProcess, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from "ssh2";
import { makeKeyPair, type SshdOptions, type TestSshd } from "./sshd.ts";

type Allowed = { readonly blob: Buffer; readonly command: string };

/** The same server made of ssh2's own parts, for machines without sshd: demo and bench fall back to it. It knows exactly the lines `forcedLine`
 *  writes, runs their command as `sh -c`, as this process's user, and refuses everything else: other logins, shells, files, forwarding. */
export async function startEmbeddedSshd(options: Omit<SshdOptions, "logLevel">): Promise<TestSshd> {
  const host = makeKeyPair();
  const allowed = options.authorizedKeys.map(allowedOf);
  const lines: string[] = [];
  const open = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [host.privateKey] }, (client) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => client.end()); // a peer that speaks nonsense, or is gone
    serveClient(client, { allowed, user: options.account.name, maxSessions: options.maxSessions ?? 10, log: (line) => lines.push(line) });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const client of open) client.end();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return { port, hostKey: host.publicKey, pid: process.pid, log: () => lines.join("\n"), stop };
}

type Rules = {
  readonly allowed: readonly Allowed[];
  readonly user: string;
  readonly maxSessions: number;
  readonly log: (line: string) => void;
};

function serveClient(client: Connection, rules: Rules): void {
  let command: string | null = null;
  let sessions = 0;
  client.on("authentication", (ctx) => {
    rules.log(`userauth-request for user ${ctx.username} method ${ctx.method}`);
    const found = ctx.username === rules.user ? matching(ctx, rules.allowed) : null;
    if (found === null) return ctx.reject(["publickey"]);
    // Without a signature the client only asks whether the key would do.
    if (ctx.method === "publickey" && ctx.signature !== undefined) ({ command } = found);
    ctx.accept();
  });
  client.on("session", (accept, reject) => {
    if (sessions >= rules.maxSessions) return reject();
    sessions += 1;
    const session = accept();
    session.on("close", () => (sessions -= 1));
    serveSession(session, () => command, rules.log);
  });
}

function serveSession(session: Session, command: () => string | null, log: Rules["log"]): void {
  const run = (accept: () => ServerChannel, reject: () => void): void => {
    const forced = command();
    if (forced === null) return reject();
    log(`forced command ${forced}`);
    const child = runCommand(forced, accept());
    session.on("close", () => {
      // As sshd does: the command is not killed, it finds its ends closed. The channel's own close would wait for output that may never come.
      for (const end of [child.stdin, child.stdout, child.stderr]) end?.destroy();
    });
  };
  session.on("exec", (accept, reject) => run(accept, reject));
  session.on("shell", (accept, reject) => run(accept, reject));
  session.on("pty", (_accept, reject) => reject());
}

function runCommand(command: string, channel: ServerChannel): ChildProcess {
  const child = spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "pipe", "pipe"], env: { PATH: "/usr/bin:/bin" } });
  channel.on("error", () => channel.close());
  child.stdin.on("error", () => channel.close()); // it ended before it read everything
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("close", (code) => {
    channel.exit(code ?? 255);
    channel.close();
  });
  return child;
}

function matching(ctx: AuthContext, allowed: readonly Allowed[]): Allowed | null {
  if (ctx.method !== "publickey") return null;
  const found = allowed.find(({ blob }) => blob.equals(ctx.key.data));
  if (found === undefined || ctx.signature === undefined) return found ?? null;
  const key = ssh2.utils.parseKey(`${ctx.key.algo} ${found.blob.toString("base64")}`);
  if (key instanceof Error || ctx.blob === undefined) return null;
  const isGood: unknown = key.verify(ctx.blob, ctx.signature, ctx.hashAlgo); // an Error for a signature of another form, whatever its type says
  return isGood === true ? found : null;
}

function allowedOf(line: string): Allowed {
  const found = /^restrict,command="([^"\\]+)" ssh-ed25519 (\S+)$/.exec(line);
  if (found?.[1] === undefined || found[2] === undefined) throw new Error("the embedded server knows only lines of forcedLine");
  return { command: found[1], blob: Buffer.from(found[2], "base64") };
}
