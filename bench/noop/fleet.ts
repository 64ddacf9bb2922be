import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { toBase64 } from "#base/canonical/index.ts";
import { layoutOf } from "#lobster/init/index.ts";
import { LAUNCHER } from "#lobster/init/launcher.ts";
import { machineRoot } from "#proof/root/index.ts";
import type { ApplyRequest, MachineId, MachineStatement, Pins } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { type Child, startChild } from "../child.ts";
import type { FromHosts, ToHosts } from "./messages.ts";

export type BenchMachine = { readonly name: MachineId; readonly root: string; readonly launcher: string };
export type FleetOptions = {
  readonly dir: string;
  readonly hosts: number;
  readonly processes: number;
  /** Where the built agent is. */
  readonly dist: string;
  readonly gid: number;
  readonly say: (text: string) => void;
};

/** Files of one machine, like the job the peers were measured with (bench/README.md): 10 plugins of 20 files, 200 KB each. */
export const PLUGINS = 10;
export const FILES = 20;
export const FILE_BYTES = 10_240;

export type BenchFleet = {
  readonly machines: readonly (BenchMachine & { readonly live: ReturnType<FleetFixture["rootOf"]> })[];
  readonly stop: () => Promise<void>;
};

/** Makes a fleet of real agents in `processes` processes: each machine enrolled with keys of its own, and brought to generation 1 by a signed release.
 *  The bundles travel to the first machine as a pack; the others get a copy of its content store, which saves minutes and changes nothing measured. */
export async function makeFleet(options: FleetOptions): Promise<BenchFleet> {
  const { dir, hosts, dist, gid, say } = options;
  const fleet = new FleetFixture({ fleet: "bench" });
  const children = Array.from({ length: options.processes }, () =>
    startChild<ToHosts, FromHosts>(join(import.meta.dirname, "hosts.ts"), { NODE_COMPILE_CACHE: join(dir, "cache") }),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    fleet.close();
  };
  try {
    const machines = Array.from({ length: hosts }, (_, i) => machineAt(dir, i));
    const childOf = (i: number): Child<ToHosts, FromHosts> => children[i % children.length] as Child<ToHosts, FromHosts>;
    say(`enrolling ${hosts} machines`);
    await inParallel(machines, async (machine, i) => {
      const made = await childOf(i).ask({ t: "init", root: machine.root, pins: pinsFor(fleet, machine), dist });
      if ("statement" in made) fleet.addMachine(JSON.parse(made.statement) as MachineStatement);
    });
    const plugins = await Promise.all(Array.from({ length: PLUGINS }, (_, i) => pluginAt(fleet, i)));
    for (const { name } of machines) fleet.put(name, ...plugins.map(({ section }) => section));
    fleet.release();
    say(`starting ${hosts} agents in ${children.length} processes, ${PLUGINS} plugins each`);
    const startOne = (machine: BenchMachine, i: number): Promise<FromHosts> =>
      childOf(i).ask({
        t: "start",
        root: machine.root,
        pins: pinsFor(fleet, machine),
        dist,
        gid,
        apply: applyFor(fleet, machine),
        pack: i === 0 ? packFor(fleet, machine, plugins) : null,
        contentFrom: i === 0 ? null : layoutOf((machines[0] as BenchMachine).root).content,
      });
    const first = machines[0];
    if (first !== undefined) checkRoot(fleet, first, await startOne(first, 0));
    await inParallel(machines.slice(1), async (machine, i) => checkRoot(fleet, machine, await startOne(machine, i + 1)));
    return { machines: machines.map((machine) => ({ ...machine, live: fleet.rootOf(machine.name) })), stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

function machineAt(dir: string, i: number): BenchMachine {
  const root = join(dir, "m", String(i + 1).padStart(3, "0"));
  mkdirSync(root, { recursive: true, mode: 0o711 });
  return { name: `mini-${String(i + 1).padStart(3, "0")}` as MachineId, root, launcher: join(layoutOf(root).bin, LAUNCHER) };
}

function pinsFor(fleet: FleetFixture, { name }: BenchMachine): Pins {
  return { v: 1, fleet: fleet.fleet, machine: name, incarnation: 1, trust: fleet.pin, driver: "software", allowSoftwareKeys: true };
}

/** A plugin that only sleeps, beside files whose content no compressor makes smaller than it looks. */
async function pluginAt(fleet: FleetFixture, i: number): Promise<FixturePlugin> {
  const files: Record<string, string> = { "main.sh": "exec sleep 2147483647\n" };
  for (let n = 0; n < FILES; n++) files[`lib/part-${n}.js`] = textOf(`${i}/${n}`);
  return fleet.plugin(`plugin-${i}`, 1, files);
}

function textOf(seed: string): string {
  let text = "";
  for (let n = 0; text.length < FILE_BYTES; n++) text += createHash("sha512").update(`${seed}/${n}`).digest("base64");
  return text.slice(0, FILE_BYTES);
}

function applyFor(fleet: FleetFixture, { name }: BenchMachine): { readonly id: string; readonly body: ApplyRequest } {
  return fleet.applyFor(name, { epoch: 1, ifRoot: machineRoot(fleet.fleet, name, []), ifGeneration: 0 });
}

function packFor(fleet: FleetFixture, { name }: BenchMachine, plugins: readonly FixturePlugin[]) {
  const { digest, bytes } = fleet.packFor(name, ...plugins);
  return { digest, base64: toBase64(bytes) };
}

function checkRoot(fleet: FleetFixture, { name }: BenchMachine, answer: FromHosts): void {
  if (!("root" in answer) || answer.root !== fleet.rootOf(name)) throw new Error(`${name} is not in sync after its apply`);
}

async function inParallel<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const left = items.map((item, index) => ({ item, index }));
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next.item, next.index);
  };
  await Promise.all(Array.from({ length: availableParallelism() + 2 }, worker));
}
