import { createRequire } from "node:module";
import net from "node:net";
import ssh2 from "ssh2";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { gone, loginError, unreachable, where } from "./errors.ts";
import { type Exec, execOn } from "./exec.ts";
import type { ExecLink, Link } from "./link.ts";
import { type PinnedHost, typeOf } from "./pinned-host.ts";

/** With what one logs in; never a password. */
export type Login =
  /** PEM or OpenSSH text of a private key without a passphrase. */
  | { readonly privateKey: string }
  /** Socket of an ssh-agent, and the one key of it that is used ("ssh-ed25519 AAAA…"); all of them when null. */
  | { readonly agent: string; readonly publicKey: string | null };

type Times = {
  readonly signal: AbortSignal;
  /** TCP, key exchange and login together; 20 s unless given. */
  readonly timeoutMs?: number;
  /** From asking for a channel to having it; 10 s unless given. */
  readonly channelTimeoutMs?: number;
};

export type ConnectOptions = Times & {
  /** PEM or OpenSSH text of the hub's private key. */
  readonly privateKey: string;
};

export type ExecOptions = Times & { readonly login: Login };

const TIMEOUT_MS = 20_000;
const CHANNEL_TIMEOUT_MS = 10_000;
const CLOSE_MS = 1_000; // what a peer gets to take our goodbye before its connection is cut
// SSH keepalive is only the second net: liveness is the beat on the event stream (WIRE §1).
const KEEPALIVE_MS = 60_000;
const HOST_KEYS: readonly ssh2.ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** Connects and logs in, or throws: SSH_HOST_KEY_MISMATCH (another key than the pins), SSH_AUTH_REFUSED, SSH_UNREACHABLE (no TCP),
 *  SSH_HUNG (TCP but no SSH in time), SSH_KEY_UNREADABLE. The host key is compared with the pins before anything is sent to the host. */
export async function connect(host: PinnedHost, options: ConnectOptions): Promise<Link> {
  const { privateKey } = options;
  const link = await connectExec(host, { ...options, login: { privateKey } }, "of the hub");
  // The text of the command is replaced by the forced command in authorized_keys.
  return { closed: link.closed, close: () => link.close(), channel: async (signal) => (await link.exec("stdio", {}, signal)).stream };
}

/** As `connect`, to a host that runs more than one program for us: a git server. */
export async function connectExec(host: PinnedHost, options: ExecOptions, whose = "for this host"): Promise<ExecLink> {
  const auth = authOf(options.login, whose);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const until = performance.now() + timeoutMs;
  const deadline = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
  const socket = await dial(host, deadline, options.signal);
  return login(host, socket, options, { ...auth, readyTimeout: Math.max(1, Math.ceil(until - performance.now())) });
}

/** ssh2 takes an empty key for none and then logs in without one. */
function authOf(login: Login, whose: string): ssh2.ConnectConfig {
  if ("agent" in login) return { agent: login.publicKey === null ? login.agent : new OneKeyAgent(login.agent, login.publicKey) };
  const key = ssh2.utils.parseKey(login.privateKey);
  const what = `the SSH key ${whose}`;
  if (key instanceof Error) throw new MooringError("SSH_KEY_UNREADABLE", what, { cause: key });
  if (!key.isPrivateKey()) throw new MooringError("SSH_KEY_UNREADABLE", what, { why: "it is a public key" });
  return { privateKey: login.privateKey };
}

/** An ssh-agent that seems to hold one key: a server counts each key that is offered as a try. */
class OneKeyAgent extends ssh2.BaseAgent<ssh2.ParsedKey> {
  readonly #inner: ssh2.BaseAgent;
  readonly #blob: Buffer;

  constructor(socket: string, publicKey: string) {
    super();
    this.#inner = ssh2.createAgent(socket);
    this.#blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  }

  getIdentities(cb: ssh2.IdentityCallback<ssh2.ParsedKey>): void {
    this.#inner.getIdentities((err, keys) => {
      const parsed = ((keys ?? []) as readonly ssh2.ParsedKey[]).filter((key) => key.getPublicSSH().equals(this.#blob));
      cb(err ?? (parsed.length > 0 ? undefined : new Error("the agent does not hold this key")), parsed);
    });
  }

  sign(key: ssh2.ParsedKey, data: Buffer, options: ssh2.SigningRequestOptions | ssh2.SignCallback, cb?: ssh2.SignCallback): void {
    if (typeof options === "function") this.#inner.sign(key, data, options);
    else this.#inner.sign(key, data, options, cb);
  }
}

/** TCP with Nagle off: ssh2's own sockets leave it on, and an exec then takes 48 ms instead of 3 (measured). */
function dial(host: PinnedHost, deadline: AbortSignal, stop: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: host.address, port: host.port, noDelay: true });
    const fail = (cause: unknown): void => {
      deadline.removeEventListener("abort", onAbort);
      socket.destroy();
      reject(unreachable(host, cause));
    };
    const onAbort = (): void => fail(stop.aborted ? stop.reason : new Error("timeout"));
    if (deadline.aborted) return onAbort();
    deadline.addEventListener("abort", onAbort, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      deadline.removeEventListener("abort", onAbort);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

function login(host: PinnedHost, sock: net.Socket, options: Times, config: ssh2.ConnectConfig): Promise<ExecLink> {
  const client = new ssh2.Client();
  let refusal: MooringError | null = null;
  return new Promise((resolve, reject) => {
    const closed = new Promise<void>((done) => client.once("close", () => done()));
    const onAbort = (): void => {
      reject(new MooringError("SSH_UNREACHABLE", `${where(host)}: the connection was given up`));
      sock.destroy();
    };
    if (options.signal.aborted) return onAbort();
    options.signal.addEventListener("abort", onAbort, { once: true });
    // Stays for the life of the client: an `error` nobody hears would end the hub.
    client.on("error", (cause: Error) => {
      reject(refusal ?? loginError(host, cause));
      // To a hung peer ssh2 only says goodbye, which is never answered; after an agent without keys it would try to go on without.
      if (["client-timeout", "agent"].includes(String(Reflect.get(cause, "level")))) sock.destroy();
    });
    client.once("close", () => {
      options.signal.removeEventListener("abort", onAbort);
      reject(refusal ?? new MooringError("SSH_UNREACHABLE", `${where(host)}: the connection ended before login`));
    });
    client.once("ready", () => {
      options.signal.removeEventListener("abort", onAbort);
      resolve(linkOf(host, client, { sock, closed, channelMs: options.channelTimeoutMs ?? CHANNEL_TIMEOUT_MS }));
    });
    try {
      client.connect({
        sock,
        username: host.username,
        ...config,
        algorithms: { serverHostKey: hostKeyOrder(host) },
        keepaliveInterval: KEEPALIVE_MS,
        keepaliveCountMax: 3,
        // Synchronous and a real boolean: ssh2 takes a promise, 0 or null for a yes.
        hostVerifier: (key: Buffer): boolean => {
          const isPinned = host.pins.some((pin) => pin.blob.equals(key));
          if (!isPinned) refusal = new MooringError("SSH_HOST_KEY_MISMATCH", `${where(host)}: another host key than the pinned ones`);
          return isPinned;
        },
      });
    } catch (cause) {
      options.signal.removeEventListener("abort", onAbort);
      sock.destroy();
      reject(new MooringError("SSH_KEY_UNREADABLE", `${where(host)}: the SSH key`, { cause }));
    }
  });
}

type Parts = { readonly sock: net.Socket; readonly closed: Promise<void>; readonly channelMs: number };

/** Pinned kinds first: a server with several keys must show the one that we know. */
function hostKeyOrder(host: PinnedHost): ssh2.ServerHostKeyAlgorithm[] {
  const pinned = new Set(host.pins.map(typeOf));
  const isPinned = (name: string): boolean => pinned.has(name.startsWith("rsa-") ? "ssh-rsa" : name);
  return [...HOST_KEYS.filter(isPinned), ...HOST_KEYS.filter((name) => !isPinned(name))];
}

function linkOf(host: PinnedHost, client: ssh2.Client, of: Parts): ExecLink {
  const life = { isOver: false };
  client.once("close", () => {
    life.isOver = true;
  });
  return {
    closed: of.closed,
    close: () => {
      if (life.isOver) return;
      client.end();
      const cut = setTimeout(() => of.sock.destroy(), CLOSE_MS); // not client.destroy(): after end() it does nothing
      client.once("close", () => clearTimeout(cut));
    },
    setIdle: (isIdle) => void (isIdle ? of.sock.unref() : of.sock.ref()),
    exec: async (command, env, signal): Promise<Exec> => {
      if (life.isOver) throw gone(host);
      try {
        const open = (until: AbortSignal): Promise<Exec> => execOn(host, client, command, env, until);
        return await withDeadline(`${where(host)}: a channel`, of.channelMs, open, signal);
      } catch (cause) {
        if (hasCode(cause, "DEADLINE_PASSED")) throw new MooringError("SSH_HUNG", `${where(host)}: no channel in time`, { cause });
        throw life.isOver ? gone(host, cause) : cause;
      }
    },
  };
}

/** Whether ssh2's native crypto is loaded; without it a link costs about three times the CPU, which status and bench say. ssh2 falls back in
 *  silence (another Node's addon), so its own flag is read. */
export function hasNativeCrypto(): boolean {
  const crypto = createRequire(import.meta.url)("ssh2/lib/protocol/crypto.js") as { readonly bindingAvailable?: unknown };
  return crypto.bindingAvailable === true;
}
