/** A test double for the agent: forks a real bridge, speaks as vault and release, runs real plugin processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Digest, digestOf, fromBase64 } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import { type BridgeClient, type BridgeState, forkBridge, type PluginLine, type SecretUse } from "#bridge/client/index.ts";
import { folderReader, type VerifiedLog, verifyLog } from "#bridge/log/index.ts";
import { ecdsaNoteKey } from "#proof/tlog/index.ts";
import type {
  Binding,
  Envelope,
  FleetId,
  GrantSection,
  Lease,
  MachineId,
  PluginId,
  SecretRef,
  SecretSection,
  SignedLease,
} from "#schemas/wire/index.ts";
import { sealEnvelope, signLease, type VaultSigner, vaultKeyText } from "#seal/envelope/index.ts";
import { pointOf } from "#seal/hpke/index.ts";

export const PLUGIN = "mail" as PluginId;
export const REF = "secret://team/imap" as SecretRef;
export const BUNDLE = digestOf("bundle 1");
const HOUR = 3_600_000;

export type World = {
  readonly dir: string;
  readonly bridge: BridgeClient;
  readonly lines: PluginLine[];
  readonly uses: SecretUse[];
  readonly exits: number[];
  state(change?: Partial<BridgeState>): BridgeState;
  grant(plugin: PluginId, ref: SecretRef, expires?: string): { leaf: Digest; section: GrantSection };
  /** `to` = another machine's kx text than the bridge's own. */
  envelope(value: Uint8Array, change?: Partial<Binding>, to?: string): Envelope;
  lease(change?: Partial<Lease>): SignedLease;
  /** State, lease and one envelope that opens to `value`. */
  provision(value: Uint8Array): Promise<void>;
  verify(): Promise<VerifiedLog>;
  fork(): BridgeClient;
};

/** `uid` = the bridge's own, when the tests run as root. */
export async function world(t: TestContext, uid?: number): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "mbr-"));
  if (uid !== undefined) chownSync(dir, uid, uid);
  const lines: PluginLine[] = [];
  const uses: SecretUse[] = [];
  const exits: number[] = [];
  const bridges: BridgeClient[] = [];
  const fork = (): BridgeClient => {
    const made = forkBridge({
      entry: join(import.meta.dirname, "../../enclave-bridge/device/main.ts"),
      dir,
      allowSoftwareKeys: true,
      uid,
      gid: uid,
      execArgv: ["--disable-sigusr1", "--expose-gc"],
      onLine: (line) => void lines.push(line),
      onUse: (use) => void uses.push(use),
      onExit: ({ code }) => void exits.push(code ?? -1),
    });
    bridges.push(made);
    return made;
  };
  const bridge = fork();
  t.after(async () => {
    for (const one of bridges) await one.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const { kx, sig } = await bridge.ready;
  const vault = vaultSigner();
  const key = digestOf(kx);
  const common = { fleet: "acme" as FleetId, machine: "mini-01" as MachineId, key };
  const times = (): { notBefore: Binding["notBefore"]; notAfter: Binding["notAfter"] } => ({
    notBefore: timeOf(Date.now() - HOUR),
    notAfter: timeOf(Date.now() + HOUR),
  });
  const grant: World["grant"] = (plugin, ref, expires) => {
    const section = {
      kind: "grant",
      name: `g-${plugin}-${ref.slice(9)}`,
      grant: { subject: plugin, ref, delivery: { mode: "fd" }, expires: (expires ?? null) as Binding["notAfter"] | null },
      key,
    } as GrantSection;
    return { leaf: digestOf(JSON.stringify(section)), section };
  };
  const secret = (ref: SecretRef, version: number): SecretSection => ({
    kind: "secret",
    name: ref.slice(9),
    version,
    file: digestOf("age"),
  });
  let serial = 0;
  const made: World = {
    dir,
    bridge,
    lines,
    uses,
    exits,
    fork,
    grant,
    state: (change = {}) => ({
      fleet: common.fleet,
      machine: common.machine,
      incarnation: 1,
      releaseSerial: 5,
      vaultKeys: [{ key: vault.key, from: 1, until: null }],
      grants: [grant(PLUGIN, REF)],
      secrets: [secret(REF, 3)],
      plugins: [{ id: PLUGIN, bundle: BUNDLE }],
      revoked: { secrets: [], plugins: [], machine: false },
      withheld: [],
      floor: timeOf(Date.now() - HOUR),
      ...change,
    }),
    envelope: (value, change = {}, to = kx) => {
      serial += 1;
      const { leaf, section } = grant(PLUGIN, REF);
      const what: Binding = {
        t: "mooring/envelope/v1",
        ...common,
        grant: section.grant,
        grantDigest: leaf,
        bundle: BUNDLE,
        version: 3,
        bindingSerial: serial,
        ...times(),
        ...change,
      };
      return sealEnvelope(what, pointOf(to), value, vault);
    },
    lease: (change = {}) => {
      serial += 1;
      return signLease({ t: "mooring/lease/v1", ...common, serial, ...times(), ...change }, vault);
    },
    provision: async (value) => {
      await bridge.state(made.state());
      await bridge.lease(made.lease());
      await bridge.bindings([made.envelope(value)], []);
    },
    verify: () =>
      verifyLog(folderReader(join(dir, "log")), "mooring/acme/mini-01/1", ecdsaNoteKey("mooring/acme/mini-01/1", fromBase64(sig, "sig"))),
  };
  return made;
}

function vaultSigner(): VaultSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { key: vaultKeyText(createPublicKey(privateKey)), sign: (message) => new Uint8Array(sign(null, message, privateKey)) };
}

export type Plugin = {
  readonly child: ChildProcess;
  readonly fd3: Socket;
  readonly exit: Promise<number | null>;
  readonly text: Promise<string>;
  /** What it has printed by now. */
  shown(): string;
};

/** Starts a plugin process and gives its fd 3 (and output) to the bridge, as the agent does. */
export async function startPlugin(
  t: TestContext,
  w: World,
  script: string,
  args: readonly string[],
  options: { plugin?: PluginId; runSeq?: number; bundle?: Digest; output?: boolean } = {},
): Promise<Plugin> {
  const { plugin = PLUGIN, runSeq = 1, bundle = BUNDLE } = options;
  const child = spawn(process.execPath, [join(import.meta.dirname, "plugins", script), ...args], {
    stdio: ["ignore", "pipe", options.output === true ? "pipe" : "inherit", "pipe"],
    env: {},
  });
  t.after(() => child.kill("SIGKILL"));
  const exit = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const fd3 = child.stdio[3] as unknown as Socket;
  const keepsOutput = options.output !== true;
  const calls = [w.bridge.attach(plugin, runSeq, bundle, fd3)];
  if (!keepsOutput) {
    calls.push(w.bridge.output(plugin, runSeq, "stdout", child.stdout as Socket));
    calls.push(w.bridge.output(plugin, runSeq, "stderr", child.stderr as Socket));
  }
  let shown = "";
  if (keepsOutput) child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (shown += chunk));
  const text = new Promise<string>((resolve) => (child.stdout ?? child).once(child.stdout === null ? "exit" : "end", () => resolve(shown)));
  await Promise.all(calls);
  return { child, fd3, exit, text, shown: () => shown };
}

/** Everything a plugin that keeps its own stdout prints. */
export function printed(plugin: Plugin): Promise<string> {
  return plugin.text;
}

export async function until(is: () => boolean, what: string, ms = 5_000): Promise<void> {
  for (let tries = 0; !is(); tries++) {
    if (tries > ms / 10) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
