import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromBase64 } from "#base/canonical/index.ts";
import { layoutOf } from "#lobster/init/layout.ts";
import { LAUNCHER } from "#lobster/init/launcher.ts";
import type { MachineStatement, Pins } from "#schemas/wire/index.ts";
import { startEmbeddedSshd } from "#test/support/embedded-sshd.ts";
import { findSshd, forcedLine, startSshd, type TestSshd } from "#test/support/sshd.ts";
import { type Running, untilSaid } from "./processes.ts";
import { must } from "./run.ts";
import { DemoFailure } from "./wait.ts";
import type { World } from "./world.ts";

export const NAMES = ["mini-01", "mini-02", "mini-03"] as const;
export type MachineName = (typeof NAMES)[number];

/** One machine of the demo: a root folder, an sshd of its own, and the agent with its bridge and egress. */
export type Machine = {
  readonly name: MachineName;
  readonly root: string;
  readonly sshd: TestSshd;
  readonly statement: MachineStatement;
  /** Pins the trust people agreed on, and starts the agent. */
  readonly start: (trust: string) => Promise<void>;
  readonly agent: () => Running;
};

export type Sshd = "openssh" | "embedded";

/** Which server machines get here, and the reason when it is not the real one. */
export function whichSshd(): { readonly kind: Sshd; readonly why: string | null } {
  return findSshd() === null
    ? { kind: "embedded", why: "OpenSSH's server is not installed and could not be" }
    : { kind: "openssh", why: null };
}

const UNPINNED = `sha256:${"0".repeat(64)}`;

/** Makes the folders and device keys of a machine and starts its sshd, which lets the hub's key run the launcher and nothing else. */
export async function makeMachine(world: World, name: MachineName, fleet: string, hubKey: string): Promise<Machine> {
  const root = world.folder(name, null, 0o711);
  const lobster = world.code.program("openclaw-lobster");
  const pinsFile = join(root, "pins.json");
  const pin = (trust: string): void => {
    const pins = { v: 1, fleet, machine: name, incarnation: 1, trust, driver: "software", allowSoftwareKeys: true };
    writeFileSync(pinsFile, JSON.stringify(pins satisfies Record<keyof Pins, unknown>));
  };
  const init = (): Promise<string> => must(lobster, ["init", "--root", root, "--pins", pinsFile, ...uidWords(world, name)]);
  pin(UNPINNED); // the keys come first: the trust that is pinned names people, not machines, but is agreed on together
  const statement = statementIn(await init());
  const options = {
    dir: world.folder(`sshd-${name}`, null, 0o755),
    account: world.account,
    authorizedKeys: [forcedLine(join(layoutOf(root).bin, LAUNCHER), hubKey)],
  };
  const sshd = whichSshd().kind === "openssh" ? await startSshd(options) : await startEmbeddedSshd(options);
  world.onClose(() => sshd.stop());
  let agent: Running | null = null;
  return {
    name,
    root,
    sshd,
    statement,
    start: async (trust) => {
      pin(trust);
      await init();
      const one = world.uids === null ? ["--insecure-one-uid"] : [];
      agent = world.processes.start({ name, file: lobster, args: ["serve", "--root", root, ...one] });
      await untilSaid(agent, "agent serves", 20_000);
    },
    agent: () => {
      if (agent === null) throw new DemoFailure(`${name}: its agent was not started`);
      return agent;
    },
  };
}

function uidWords(world: World, name: MachineName): readonly string[] {
  const first = world.uids?.machines[NAMES.indexOf(name)];
  return first === undefined ? ["--insecure-one-uid"] : ["--uids", String(first), "--ssh-gid", String(world.account.gid)];
}

function statementIn(text: string): MachineStatement {
  const { bytes } = JSON.parse(text) as { readonly bytes: string };
  return JSON.parse(new TextDecoder().decode(fromBase64(bytes, "statement"))) as MachineStatement;
}

/** The lock of the plugin tree that runs on a machine now. */
export function treeOf(machine: Machine, plugin: string): string {
  return join(layoutOf(machine.root).generations, "current/plugins", plugin);
}

export function readTree(machine: Machine, plugin: string, path: string): Buffer {
  return readFileSync(join(treeOf(machine, plugin), path));
}
