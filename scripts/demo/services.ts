import { chownSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { type HubStatus, hubStatus } from "#schemas/wire/index.ts";
import { makeKeyPair } from "#test/support/sshd.ts";
import { type Owner, PLAIN_ENV, type Running, untilSaid } from "./processes.ts";
import { must } from "./run.ts";
import { DemoFailure, until } from "./wait.ts";
import type { World } from "./world.ts";

/** What `mooring-vault init` prints. */
export type VaultKeys = { readonly recipient: string; readonly key: string; readonly allowedSigners: string };

export type Vault = {
  readonly dir: string;
  readonly socket: string;
  readonly owner: Owner;
  readonly keys: VaultKeys;
  /** Pins the first trust and starts serving. */
  readonly start: (trust: string) => Promise<void>;
};

/** The vault under its own uid, with a socket that only the hub's group may open. */
export async function makeVault(world: World, fleet: string): Promise<Vault> {
  const owner = ownerOf(world, "vault");
  const dir = join(world.folder("vault", owner, 0o711), "keys");
  const socket = join(world.root, "vault/v.sock");
  const program = world.code.program("mooring-vault");
  const text = await must(program, ["init", "--dir", dir, "--fleet", fleet, "--insecure-plain-keys"], { owner });
  const start = async (trust: string): Promise<void> => {
    await must(program, ["pin", "--dir", dir, "--trust-root", trust], { owner });
    await untilSaid(
      world.processes.start({ name: "vault", ...commandOf(world, program, ["serve", "--dir", dir, "--socket", socket]) }),
      "ready",
      20_000,
    );
  };
  return { dir, socket, owner, keys: JSON.parse(text) as VaultKeys, start };
}

/** The vault gives its socket to the hub's group, so that group is a second one of its own; `spawn` knows only one, setpriv more. */
function commandOf({ uids }: World, program: string, args: readonly string[]): { readonly file: string; readonly args: readonly string[] } {
  if (uids === null) return { file: program, args };
  const as = ["--reuid", String(uids.vault), "--regid", String(uids.vault), "--groups", String(uids.hub), "--"];
  return { file: "setpriv", args: [...as, program, ...args, "--group", String(uids.hub)] };
}

export type Hub = {
  readonly dir: string;
  readonly socket: string;
  readonly sshKeyFile: string;
  readonly publicKey: string;
  readonly privateKey: string;
  readonly start: (source: string, vaultSocket: string, trust: string) => Promise<Running>;
  readonly status: () => Promise<HubStatus>;
  /** Waits until its status fits. */
  readonly when: (what: string, ms: number, fits: (status: HubStatus) => boolean) => Promise<HubStatus>;
  readonly process: () => Running;
};

/** The hub's folder and its one SSH key; `start` may be called again after the process was killed. */
export function makeHub(world: World): Hub {
  const owner = ownerOf(world, "hub");
  const dir = world.folder("hub", owner);
  const socket = join(dir, "h.sock");
  const sshKeyFile = join(dir, "ssh_key");
  const { privateKey, publicKey } = makeKeyPair();
  writeFileSync(sshKeyFile, privateKey, { mode: 0o600 });
  if (owner !== null) chownSync(sshKeyFile, owner.uid, owner.gid);
  let running: Running | null = null;
  const status = async (): Promise<HubStatus> => hubStatus.parse(JSON.parse(await get(socket, "/v1/status")));
  return {
    dir,
    socket,
    sshKeyFile,
    publicKey,
    privateKey,
    status,
    start: async (source, vaultSocket, trust) => {
      const name = `hub-${world.processes.living().length}-${Date.now() % 100_000}`;
      const words = [
        "run",
        "--source",
        source,
        "--dir",
        dir,
        "--trust-root",
        trust,
        "--ssh-key",
        sshKeyFile,
        "--ssh-user",
        world.account.name,
      ];
      const more = ["--vault", vaultSocket, "--hub", socket, "--poll", "1s", ...(world.uids === null ? ["--insecure-one-uid"] : [])];
      running = world.processes.start({
        name,
        file: world.code.program("mooring"),
        args: [...words, ...more],
        owner,
        cwd: dir,
        env: { ...PLAIN_ENV, HOME: dir },
      });
      await untilSaid(running, "hub started", 20_000);
      return running;
    },
    when: async (what, ms, fits) => {
      let last: HubStatus | null = null;
      return until(
        `the hub: ${what}`,
        ms,
        async () => {
          last = await status();
          return fits(last) ? last : null;
        },
        () => (last === null ? "no answer" : summary(last)),
        20,
      );
    },
    process: () => {
      if (running === null) throw new DemoFailure("the hub was not started");
      return running;
    },
  };
}

function ownerOf(world: World, name: "hub" | "vault"): Owner {
  return world.uids === null ? null : { uid: world.uids[name], gid: world.uids[name] };
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: 5_000 }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => resolve(Buffer.concat(parts).toString("utf8")));
      answer.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", reject);
    asked.end();
  });
}

function summary(status: HubStatus): string {
  const machines = status.machines.map(
    (one) =>
      `${one.name} ${one.error?.code ?? (one.inSync ? "in sync" : "not in sync")}${one.error?.why === undefined ? "" : ` (${one.error.why})`}`,
  );
  const source = status.source.error === null ? "" : `source ${status.source.error.code}`;
  const awaiting = status.awaiting === null ? "" : `awaiting ${status.awaiting.missing.map(({ role }) => role).join(", ")}`;
  const refused = status.refused?.findings[0];
  const finding = refused === undefined ? "" : `refused ${refused.file}:${refused.line} ${refused.code}`;
  return [`release ${status.release?.serial ?? "none"}`, source, awaiting, finding, ...machines].filter((part) => part !== "").join("; ");
}
