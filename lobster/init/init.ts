import { chmod, chown, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canon, canonBytes, toBase64 } from "#base/canonical/index.ts";
import { writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { forkBridge } from "#bridge/client/index.ts";
import type { MachineStatement, Pins } from "#schemas/wire/index.ts";
import type { Layout, Uids } from "../contract.ts";
import { findNc, LAUNCHER, launcherText } from "./launcher.ts";
import { egressSocket, uidsFile } from "./layout.ts";
import { checkSameMachine, readPins } from "./pins.ts";

export type InitOptions = {
  readonly layout: Layout;
  readonly pinsFile: string;
  readonly uids: Uids | null;
  /** Entry of the bridge and of the agent, absolute. */
  readonly bridgeEntry: string;
  readonly agentEntry: string;
};

/** The machine's statement as its canonical bytes, with the device key's signature (r‖s) over "mooring/attest/v1\n" ‖ bytes. */
export type SignedMachine = { readonly bytes: string; readonly sig: string };

/** Makes this machine ready for `serve`: folders, pins, launcher, and device keys (made by the bridge under its own uid; the agent never sees them).
 *  Run again it keeps the keys and repairs the rest. Throws PINS_REFUSED, KEYS_NOT_MADE. */
export async function initMachine(options: InitOptions): Promise<SignedMachine> {
  const { layout, uids } = options;
  const pins = await readPins(options.pinsFile);
  if (pins === null) throw new MooringError("PINS_REFUSED", `${options.pinsFile}: no such file`);
  const had = await readPins(layout.pins);
  if (had !== null) checkSameMachine(had, pins);
  await makeLayout(layout, uids);
  await writeDurable(layout.pins, canon(pins), 0o644);
  if (uids !== null) await writeDurable(uidsFile(layout), canon(uids), 0o644);
  await writeDurable(join(layout.bin, LAUNCHER), launcherText(layout, findNc(), process.execPath, options.agentEntry), 0o755);
  return machineSigned(options, pins);
}

async function makeLayout(layout: Layout, uids: Uids | null): Promise<void> {
  const bridge = uids?.bridge ?? null;
  const folders: readonly (readonly [path: string, mode: number, owner: number | null])[] = [
    [layout.root, 0o711, null],
    [dirname(layout.pins), 0o755, null],
    [layout.state, 0o700, null],
    [layout.content, 0o700, null],
    [layout.generations, 0o755, null],
    [layout.bridge, 0o700, bridge],
    [layout.run, 0o711, null],
    [dirname(egressSocket(layout)), 0o711, uids?.egress ?? null],
    [layout.plugins, 0o711, null],
    [layout.bin, 0o755, null],
  ];
  for (const [path, mode, owner] of folders) {
    await mkdir(path, { recursive: true, mode });
    await chmod(path, mode);
    if (owner !== null) await chown(path, owner, owner);
  }
}

async function machineSigned(options: InitOptions, pins: Pins): Promise<SignedMachine> {
  const { layout, uids, bridgeEntry } = options;
  const bridge = forkBridge({
    entry: bridgeEntry,
    dir: layout.bridge,
    allowSoftwareKeys: pins.allowSoftwareKeys,
    uid: uids?.bridge,
    gid: uids?.bridge,
    execArgv: ["--disable-sigusr1", "--report-exclude-env"],
    onLine: () => undefined,
    onUse: () => undefined,
    onExit: () => undefined,
  });
  try {
    const { kx, sig } = await bridge.ready;
    const { fleet, machine, incarnation, driver } = pins;
    const bytes = canonBytes({ t: "mooring/machine/v1", fleet, machine, incarnation, driver, kx, sig } satisfies MachineStatement);
    return { bytes: toBase64(bytes), sig: toBase64(await bridge.sign(bytes)) };
  } catch (cause) {
    throw new MooringError("KEYS_NOT_MADE", `${layout.bridge}: no device keys`, { cause });
  } finally {
    await bridge.close();
  }
}
