import type { Duplex } from "node:stream";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { connectExec, type Exec, type ExecLink, type PinnedHost } from "../../ssh/index.ts";
import type { Access, SshAccess } from "./access.ts";
import { readAdvertisement } from "./advertisement.ts";
import type { Carrier, Service, Talk } from "./carrier.ts";
import { guarded, type Limits, soon } from "./guard.ts";
import { FLUSH, PacketReader } from "./pkt-line.ts";
import { shellWord } from "./quote.ts";
import type { SshPlace } from "./url.ts";

const LINGER_MS = 10_000; // how long a connection waits for the next talk

/** Git over SSH (gitprotocol-pack): each talk is one run of git's program, many of them over one connection. No connection without a pinned host key. */
export function sshCarrier(place: SshPlace, { ssh }: Access, limits: Limits): Carrier {
  if (ssh === undefined)
    throw new MooringError("SOURCE_MISCONFIGURED", place.url, {
      why: "no host key and no login key are configured",
      fix: "pin the server's key with --source-host-key or --source-known-hosts, and name our key with --source-key",
    });
  let link: Promise<ExecLink> | null = null;
  let linger: NodeJS.Timeout | undefined;
  let talks = 0;
  let isClosing = false; // at the end of the talks that go on

  const close = (): void => {
    clearTimeout(linger);
    isClosing = talks > 0;
    if (isClosing) return;
    const mine = link;
    link = null;
    mine?.then(
      (open) => open.close(),
      () => undefined, // whoever asked for it was told
    );
  };
  const connected = (signal: AbortSignal): Promise<ExecLink> => {
    if (link !== null) return link;
    const mine = dial(place, ssh, limits, signal);
    link = mine;
    const forget = (): void => {
      if (link === mine) link = null;
    };
    mine.then((open) => open.closed.then(forget), forget);
    return mine;
  };
  const release = (open: ExecLink): void => {
    talks -= 1;
    if (talks > 0) return;
    if (isClosing) return close();
    open.setIdle(true);
    linger = setTimeout(close, LINGER_MS);
    linger.unref();
  };
  const open = async (service: Service, signal: AbortSignal): Promise<Talk> => {
    clearTimeout(linger);
    isClosing = false;
    talks += 1;
    let live: ExecLink | null = null;
    try {
      live = await connected(signal);
      live.setIdle(false);
      const mine = live;
      return await startTalk(await start(live, place, service, signal), place, limits, signal, () => release(mine));
    } catch (err) {
      if (live !== null) release(live);
      else talks -= 1;
      throw sourceError(err, place);
    }
  };
  return { open, close };
}

async function dial(place: SshPlace, ssh: SshAccess, limits: Limits, signal: AbortSignal): Promise<ExecLink> {
  const pins = await ssh.pinsFor(place.host, place.port);
  const host: PinnedHost = { name: "git server", address: place.host, port: place.port, username: place.user, pins };
  // The connection outlives the call that asked for it: only its making hangs on the call's signal.
  return connectExec(host, { login: await ssh.login(), signal, timeoutMs: limits.idleMs, channelTimeoutMs: limits.idleMs });
}

function start(link: ExecLink, place: SshPlace, service: Service, signal: AbortSignal): Promise<Exec> {
  const env: Record<string, string> = service === "git-upload-pack" ? { GIT_PROTOCOL: "version=2" } : {};
  return link.exec(`${service} ${shellWord(place.path)}`, env, signal);
}

async function startTalk(exec: Exec, place: SshPlace, limits: Limits, signal: AbortSignal, release: () => void): Promise<Talk> {
  const where = place.url;
  const { stream } = exec;
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    // A flush where a request may stand says that nothing is wanted; then git ends by itself.
    if (stream.writable) stream.end(FLUSH);
    stream.on("error", () => undefined).resume();
    setTimeout(() => stream.destroy(), 1_000).unref();
    release();
  };
  const obey = (one: AbortSignal): void => {
    const abort = (): void => void stream.destroy(new Error("given up"));
    one.addEventListener("abort", abort, { once: true });
    stream.once("close", () => one.removeEventListener("abort", abort));
    if (one.aborted) abort();
  };
  obey(signal);
  stream.on("error", () => undefined); // told by whoever reads or writes
  const reader = new PacketReader(
    guarded(stream as AsyncIterable<Uint8Array>, limits, where, () => stream.destroy()),
    where,
  );
  try {
    const ad = await readAdvertisement(reader, where).catch(async (err: unknown) => {
      throw await whyNoTalk(err, exec, where);
    });
    const ask: Talk["ask"] = async (body, stop) => {
      if (stop !== signal) obey(stop);
      await writeAll(stream, body, limits, where);
      return reader;
    };
    return { ad, where, ask, settle: async () => undefined, end };
  } catch (err) {
    isOver = true;
    stream.destroy();
    throw err;
  }
}

/** A program that ended before it introduced itself says why by its status; its words are the server's and go no further. */
async function whyNoTalk(err: unknown, exec: Exec, where: string): Promise<unknown> {
  if (!(hasCode(err, "SOURCE_NOT_GIT") || hasCode(err, "SOURCE_UNREACHABLE")) || !exec.stream.readableEnded) return err;
  const { code, stderr } = await exec.ended;
  const cause = new Error(stderr);
  if (code === 127) return new MooringError("SOURCE_NOT_GIT", where, { why: "there is no git on that host", cause });
  if (code === null || code === 0) return err;
  if (code > 128) return new MooringError("SOURCE_UNREACHABLE", where, { why: "git was ended there before it spoke", cause });
  return new MooringError("SOURCE_NOT_FOUND", where, { why: `git ended with status ${code} there`, cause });
}

async function writeAll(stream: Duplex, body: readonly Uint8Array[], limits: Limits, where: string): Promise<void> {
  for (const part of body) {
    if (!stream.writable) throw brokenAt(where);
    if (!stream.write(part)) await soon(drained(stream, where), limits.idleMs, where);
  }
}

/** Resolves when there is room again. A channel that closes meanwhile never says so by `drain`. */
function drained(stream: Duplex, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => {
      stream.off("drain", onDrain);
      reject(brokenAt(where));
    };
    const onDrain = (): void => {
      stream.off("close", onClose);
      resolve();
    };
    stream.once("drain", onDrain).once("close", onClose);
  });
}

function brokenAt(where: string): MooringError {
  return new MooringError("SOURCE_UNREACHABLE", where, { why: "the connection broke while we were sending" });
}

type Told = "SOURCE_UNREACHABLE" | "SOURCE_DENIED" | "SOURCE_MISCONFIGURED" | "SOURCE_HOST_KEY_MISMATCH";

const TOLD: Readonly<Record<string, readonly [code: Told, why: string, fix?: string]>> = {
  SSH_HOST_KEY_MISMATCH: ["SOURCE_HOST_KEY_MISMATCH", "the server shows another host key than the pinned ones; nothing was sent to it"],
  SSH_AUTH_REFUSED: [
    "SOURCE_DENIED",
    "the server does not take our key",
    "give the public half of the source's key read access to this repository (write access to push)",
  ],
  SSH_KEY_UNREADABLE: [
    "SOURCE_MISCONFIGURED",
    "the key of the source is no private key without a passphrase, and none that ssh-agent holds",
    "name another key with --source-key; one with a passphrase goes into ssh-agent, and its .pub file is named",
  ],
  SSH_HUNG: ["SOURCE_UNREACHABLE", "the server took the connection and then said nothing"],
  SSH_CHANNEL_REFUSED: ["SOURCE_DENIED", "the server logs us in and runs no git for us"],
  SSH_UNREACHABLE: ["SOURCE_UNREACHABLE", "no SSH connection, or it broke"],
};

/** What goes wrong on the way to a git server, in the words of the source. */
function sourceError(err: unknown, place: SshPlace): unknown {
  const told = err instanceof MooringError ? TOLD[err.code] : undefined;
  if (told === undefined) return err;
  const [code, why, fix] = told;
  return new MooringError(code, place.url, { why, cause: err, ...(fix === undefined ? {} : { fix }) });
}
