import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { asDigest } from "#base/canonical/index.ts";
import { makeFolder } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { errorField } from "#base/log/index.ts";
import { timeOf } from "#base/time/index.ts";
import { apiServer, listenOn } from "./api/index.ts";
import { openBundleStore } from "./bundles/index.ts";
import { makeHub, makeSourceLoop } from "./hub/index.ts";
import { hubLog } from "./log.ts";
import { type Dial, openBindingBook, openEventBook } from "./machine/index.ts";
import { witnessOf } from "./recovery/index.ts";
import { vaultClient } from "./secrets/index.ts";
import { hubSigning, readHubKey } from "./signing/index.ts";
import { type AccessFiles, accessOf, openSource, RELEASES_BRANCH } from "./source/index.ts";
import { connect, hasNativeCrypto } from "./ssh/index.ts";
import { startWebhooks, type WebhookPlace } from "./webhook/index.ts";

export type RunOptions = {
  /** The fleet repo: absolute path, file://, http(s)://, ssh:// or user@host:path. */
  readonly source: string;
  /** The hub's own folder: caches and the last verified revision. */
  readonly dir: string;
  /** Leaf of a trust section, past or present; needed at the first start, remembered by whoever starts the hub. */
  readonly trustRoot: string | null;
  /** File with the private key the hub logs in with. */
  readonly sshKey: string;
  readonly sshUser: string;
  /** The vault's socket; null = no secrets are delivered. */
  readonly vault: string | null;
  /** Where the API listens. */
  readonly socket: string;
  readonly pollMs: number;
  readonly insecureOneUid: boolean;
  /** How the git server lets us in. */
  readonly access: AccessFiles;
  /** Where git servers tell that something moved, and the file of their secrets; null = only polls and watches notice. */
  readonly webhook?: WebhookPlace | null;
};

/** Runs the hub until `signal` fires, then stops in order: no new work, what runs ends, links close. Throws what keeps it from starting. */
export async function runHub(options: RunOptions, version: string, signal: AbortSignal): Promise<void> {
  if (options.trustRoot === null) throw new MooringError("TRUST_ROOT_NEEDED", "mooring run");
  const pin = asDigest(options.trustRoot, "--trust-root");
  const log = hubLog();
  const uid = process.getuid?.() ?? -1;
  await makeFolder(options.dir);
  const source = await openSource({
    url: options.source,
    gitdir: join(options.dir, "source.git"),
    branch: "main",
    stateFile: join(options.dir, "last-verified.json"),
    onSetback: (err) => log.warn({ ...errorField(err) }, "the copy of the fleet repo could not be compacted; it is tried again"),
    ...(await accessOf(options.access, options.source, process.env)),
  });
  const vault = options.vault === null ? null : vaultClient({ socket: options.vault, uid, insecureOneUid: options.insecureOneUid });
  if (vault !== null) await checkIsolation(vault.info(signal), log);
  const clock = Date.now;
  const privateKey = await readKey(options.sshKey);
  const dial: Dial = (host, stop) => connect({ ...host, username: options.sshUser }, { privateKey, signal: stop });
  const hubKey = await readHubKey(options.dir);
  const hub = makeHub({
    source: makeSourceLoop({ source, pin, version, clock, witness: witnessOf(dial, vault, log) }),
    clock,
    random: Math.random,
    log,
    pollMs: options.pollMs,
    signing:
      hubKey === null
        ? null
        : hubSigning({
            key: hubKey,
            pin,
            source: { url: options.source, ...(await accessOf(options.access, options.source, process.env)) },
            clock,
            random: Math.random,
          }),
    worker: {
      hub: hostname(),
      dial,
      log,
      book: openEventBook(join(options.dir, "events")),
      bundles: openBundleStore(join(options.dir, "bundles")),
      vault,
      bindings: openBindingBook(join(options.dir, "bindings")),
      clock,
      random: Math.random,
    },
  });
  const nativeCrypto = hasNativeCrypto();
  if (!nativeCrypto) log.warn({}, "ssh2 runs without its native addon: a link costs about three times the CPU");
  const api = apiServer(hub, { url: withoutUserInfo(options.source), version, uid, startedAt: timeOf(clock()), nativeCrypto }, log);
  await listenOn(api, options.socket);
  const unwatch = await source.watch(hub.hint, (cause) =>
    log.warn({ ...errorField(cause) }, "watching the source failed; polling goes on"),
  );
  const webhooks = options.webhook ? await startWebhooks(options.webhook, ["main", RELEASES_BRANCH], hub.hint, signal, log) : null;
  log.info({ uid, socket: options.socket }, "hub started");
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  await Promise.race([hub.run(), stopped]);
  await webhooks?.close();
  await unwatch?.();
  await hub.stop();
  api.close();
  api.closeAllConnections();
  log.info({}, "hub stopped");
}

/** An unreachable vault is tried again at each sealing; one under our own uid ends the start. */
async function checkIsolation(info: Promise<unknown>, log: ReturnType<typeof hubLog>): Promise<void> {
  try {
    await info;
  } catch (err) {
    if (!(err instanceof MooringError) || err.disposition !== "retry") throw err;
    log.warn({ ...errorField(err) }, "the vault does not answer yet");
  }
}

async function readKey(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new MooringError("SSH_KEY_UNREADABLE", path, { cause });
  }
}

function withoutUserInfo(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
