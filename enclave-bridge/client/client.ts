import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { type Digest, fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { BindingsAnswer, Envelope, PluginId, SignedLease } from "#schemas/wire/index.ts";
import { Calls } from "./calls.ts";
import type { BridgeState, FromBridge } from "./ipc.ts";

export type PluginLine = Omit<Extract<FromBridge, { readonly t: "line" }>, "t">;
export type SecretUse = Omit<Extract<FromBridge, { readonly t: "use" }>, "t">;
export type BridgeReady = Omit<Extract<FromBridge, { readonly t: "ready" }>, "t">;
export type BridgeExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type BridgeOptions = {
  /** enclave-bridge/device/main.ts, or what it was built to. */
  readonly entry: string;
  /** The bridge's folder (Layout.bridge), owned by `uid`. */
  readonly dir: string;
  /** From the pins. The bridge makes its two keys at its first start. */
  readonly allowSoftwareKeys: boolean;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** `--disable-sigusr1` when left out: no signal opens an inspector. */
  readonly execArgv?: readonly string[] | undefined;
  /** Whole environment; empty when left out. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly onLine: (line: PluginLine) => void;
  readonly onUse: (use: SecretUse) => void;
  /** Once, however it ended. The caller starts another one and gives it state, bindings stay on its disk, runs have to be started anew. */
  readonly onExit: (exit: BridgeExit) => void;
};

/** The agent's side of the bridge. Every call rejects with the bridge's own error, BRIDGE_GONE when it ended, DEADLINE_PASSED after 10 s. */
export type BridgeClient = {
  readonly pid: number | undefined;
  readonly ready: Promise<BridgeReady>;
  state(state: BridgeState): Promise<void>;
  /** Gives the far end of the plugin's fd 3 away; the socket is unusable here afterwards. */
  attach(plugin: PluginId, runSeq: number, bundle: Digest, socket: Socket): Promise<void>;
  /** Gives the far end of the plugin's stdout or stderr away. MUST be called before a byte was read from it. */
  output(plugin: PluginId, runSeq: number, stream: "stdout" | "stderr", socket: Socket): Promise<void>;
  detach(plugin: PluginId, runSeq: number): Promise<void>;
  bindings(envelopes: readonly Envelope[], tombstones: readonly string[]): Promise<BindingsAnswer>;
  lease(lease: SignedLease): Promise<void>;
  /** The file key of a bundle pack sealed to this machine. */
  unwrap(sealed: { readonly enc: Uint8Array; readonly aad: Uint8Array; readonly ct: Uint8Array }): Promise<Uint8Array>;
  /** r‖s over "mooring/attest/v1\n" ‖ bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
  /** Ends the bridge and waits for it. */
  close(): Promise<void>;
};

/** Starts a bridge. Its stdout and stderr are the caller's: it prints no secrets, only what a crash of Node prints. */
export function forkBridge(options: BridgeOptions): BridgeClient {
  const child = fork(options.entry, [options.dir, ...(options.allowSoftwareKeys ? ["--allow-software-keys"] : [])], {
    execArgv: [...(options.execArgv ?? ["--disable-sigusr1"])],
    env: { ...options.env },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    cwd: "/",
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const calls = new Calls(child);
  const { promise: ready, resolve, reject } = Promise.withResolvers<BridgeReady>();
  ready.catch(() => undefined); // whoever awaits it sees it; nobody has to
  child.on("message", (message) => {
    const from = message as FromBridge;
    switch (from.t) {
      case "ready":
        return resolve(from);
      case "reply":
        return calls.settle(from);
      case "line":
        return options.onLine(from);
      case "use":
        return options.onUse(from);
      default:
        from satisfies never;
    }
  });
  const exited = new Promise<void>((done) => {
    const onEnd = (exit: BridgeExit): void => {
      const gone = new MooringError("BRIDGE_GONE", `bridge in ${options.dir}`, { why: `it ended with ${exit.signal ?? exit.code}` });
      reject(gone);
      calls.fail(gone);
      done();
      options.onExit(exit);
    };
    child.once("exit", (code, signal) => onEnd({ code, signal }));
    child.once("error", () => {
      if (child.pid === undefined) onEnd({ code: null, signal: null }); // it never started
    });
  });
  return clientOf(child, calls, ready, exited);
}

function clientOf(child: ChildProcess, calls: Calls, ready: Promise<BridgeReady>, exited: Promise<void>): BridgeClient {
  return {
    pid: child.pid,
    ready,
    state: async (state) => void (await calls.call({ t: "state", state })),
    attach: async (plugin, runSeq, bundle, socket) => void (await calls.call({ t: "attach", plugin, runSeq, bundle }, socket)),
    output: async (plugin, runSeq, stream, socket) => void (await calls.call({ t: "output", plugin, runSeq, stream }, socket)),
    detach: async (plugin, runSeq) => void (await calls.call({ t: "detach", plugin, runSeq })),
    bindings: async (envelopes, tombstones) => {
      const value = await calls.call({ t: "bindings", envelopes, tombstones });
      if (value === null || !("items" in value)) throw odd("bindings");
      return value;
    },
    lease: async (lease) => void (await calls.call({ t: "lease", lease })),
    unwrap: async ({ enc, aad, ct }) =>
      bytesIn(await calls.call({ t: "unwrap", enc: toBase64(enc), aad: toBase64(aad), ct: toBase64(ct) }), "unwrap"),
    sign: async (bytes) => bytesIn(await calls.call({ t: "sign", bytes: toBase64(bytes) }), "sign"),
    close: async () => {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

function bytesIn(value: Awaited<ReturnType<Calls["call"]>>, what: string): Uint8Array {
  if (value === null || !("bytes" in value)) throw odd(what);
  return fromBase64(value.bytes, `bridge's answer to ${what}`);
}

function odd(what: string): MooringError {
  return new MooringError("FRAME_MALFORMED", `bridge's answer to ${what}`);
}
