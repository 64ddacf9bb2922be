import { createRequire } from "node:module";
import net from "node:net";
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { destroyable } from "./channel.ts";
import type { Link } from "./link.ts";
import type { PinnedHost } from "./pinned-host.ts";

export type ConnectOptions = {
  /** PEM or OpenSSH text of the hub's private key. */
  readonly privateKey: string;
  readonly signal: AbortSignal;
  /** TCP, key exchange and login together; 20 s unless given. */
  readonly timeoutMs?: number;
  /** From asking for a channel to having it; 10 s unless given. */
  readonly channelTimeoutMs?: number;
};

const TIMEOUT_MS = 20_000;
const CHANNEL_TIMEOUT_MS = 10_000;
const CLOSE_MS = 1_000; // what a peer gets to take our goodbye before its connection is cut
// SSH keepalive is only the second net: liveness is the beat on the event stream (WIRE §1).
const KEEPALIVE_MS = 60_000;

/** Connects and logs in, or throws: SSH_HOST_KEY_MISMATCH (another key than the pins), SSH_AUTH_REFUSED, SSH_UNREACHABLE (no TCP),
 *  SSH_HUNG (TCP but no SSH in time), SSH_KEY_UNREADABLE. The host key is compared with the pins before anything is sent to the host. */
export async function connect(host: PinnedHost, options: ConnectOptions): Promise<Link> {
  checkKey(options.privateKey);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const until = performance.now() + timeoutMs;
  const deadline = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
  const socket = await dial(host, deadline, options.signal);
  return login(host, socket, options, Math.max(1, Math.ceil(until - performance.now())));
}

/** ssh2 takes an empty key for none and then logs in without one. */
function checkKey(text: string): void {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw new MooringError("SSH_KEY_UNREADABLE", "the hub's SSH key", { cause: key });
  if (!key.isPrivateKey()) throw new MooringError("SSH_KEY_UNREADABLE", "the hub's SSH key", { why: "it is a public key" });
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

function login(host: PinnedHost, sock: net.Socket, options: ConnectOptions, timeoutMs: number): Promise<Link> {
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
      if (Reflect.get(cause, "level") === "client-timeout") sock.destroy(); // ssh2 only says goodbye, which a hung peer never answers
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
        privateKey: options.privateKey,
        readyTimeout: timeoutMs,
        keepaliveInterval: KEEPALIVE_MS,
        keepaliveCountMax: 3,
        // Synchronous and a real boolean: ssh2 takes a promise, 0 or null for a yes.
        hostVerifier: (key: Buffer): boolean => {
          const isPinned = host.pins.some((pin) => pin.blob.equals(key));
          if (!isPinned) refusal = new MooringError("SSH_HOST_KEY_MISMATCH", `${where(host)}: another host key than spec.hostKeys`);
          return isPinned;
        },
      });
    } catch (cause) {
      options.signal.removeEventListener("abort", onAbort);
      sock.destroy();
      reject(new MooringError("SSH_KEY_UNREADABLE", "the hub's SSH key", { cause }));
    }
  });
}

type Parts = { readonly sock: net.Socket; readonly closed: Promise<void>; readonly channelMs: number };

function linkOf(host: PinnedHost, client: ssh2.Client, of: Parts): Link {
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
    channel: async (signal) => {
      if (life.isOver) throw gone(host);
      try {
        return await withDeadline(`${where(host)}: a channel`, of.channelMs, (until) => execChannel(host, client, until), signal);
      } catch (cause) {
        if (hasCode(cause, "DEADLINE_PASSED")) throw new MooringError("SSH_HUNG", `${where(host)}: no channel in time`, { cause });
        throw life.isOver ? gone(host, cause) : cause;
      }
    },
  };
}

/** The text of the command is replaced by the forced command in authorized_keys. A channel that comes after `signal` fired is closed again. */
function execChannel(host: PinnedHost, client: ssh2.Client, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(gone(host, signal.reason));
    const onAbort = (): void => reject(gone(host, signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      client.exec("stdio", (cause, channel) => {
        signal.removeEventListener("abort", onAbort);
        if (cause !== undefined && cause !== null) reject(new MooringError("SSH_CHANNEL_REFUSED", `${where(host)}: no channel`, { cause }));
        else if (signal.aborted) channel.close();
        else resolve(destroyable(channel));
      });
    } catch (cause) {
      signal.removeEventListener("abort", onAbort);
      reject(gone(host, cause));
    }
  });
}

function gone(host: PinnedHost, cause?: unknown): MooringError {
  return new MooringError("SSH_UNREACHABLE", `${where(host)}: the connection is gone or was given up`, { cause });
}

function loginError(host: PinnedHost, cause: Error): MooringError {
  const level: unknown = Reflect.get(cause, "level");
  if (level === "client-authentication")
    return new MooringError("SSH_AUTH_REFUSED", `${where(host)}: login as ${host.username} refused`, { cause });
  if (level === "client-timeout") return new MooringError("SSH_HUNG", `${where(host)}: no SSH answer in time`, { cause });
  return unreachable(host, cause);
}

function unreachable(host: PinnedHost, cause: unknown): MooringError {
  return new MooringError("SSH_UNREACHABLE", `${where(host)}: no connection`, { cause });
}

function where(host: PinnedHost): string {
  return `${host.name} (${host.address}:${host.port})`;
}

/** Whether ssh2's native crypto is loaded; without it a link costs about three times the CPU, which status and bench say. ssh2 falls back in
 *  silence (another Node's addon), so its own flag is read. */
export function hasNativeCrypto(): boolean {
  const crypto = createRequire(import.meta.url)("ssh2/lib/protocol/crypto.js") as { readonly bindingAvailable?: unknown };
  return crypto.bindingAvailable === true;
}
