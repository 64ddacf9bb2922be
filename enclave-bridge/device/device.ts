import { performance } from "node:perf_hooks";
import { join } from "node:path";
import { makeFolder, readIfThere } from "#base/durable/index.ts";
import {
  type DeviceKeyDriver,
  ecdhOf,
  keyError,
  type KeyHandle,
  type KeyUse,
  kxText,
  sigText,
  softwareDriver,
} from "#bridge/keys/index.ts";
import { MachineAudit } from "./audit.ts";
import { EnvelopeStore } from "./envelopes.ts";
import type { Ecdh } from "#seal/hpke/index.ts";
import { TimeFloor } from "./floor.ts";
import { LeaseStore } from "./lease.ts";
import { keepFloor } from "./floor-file.ts";

/** What a bridge stands on: the machine's keys and the files of its folder. */
export type Device = {
  readonly kx: string;
  readonly sig: string;
  /** SEC 1 point of kx. */
  readonly point: Uint8Array;
  readonly ecdh: Ecdh;
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
  readonly audit: MachineAudit;
  readonly floor: TimeFloor;
  readonly envelopes: EnvelopeStore;
  readonly lease: LeaseStore;
  readonly mono: () => number;
  /** Entries the published checkpoint claims; nobody checked its signature yet. */
  readonly treeSize: number;
};

export type DeviceOptions = { readonly dir: string; readonly allowSoftwareKeys: boolean };

/** Opens the device of a folder. At the very first start (no keys, no log) it makes the keys; later a missing key is KEY_GONE. */
export async function openDevice({ dir, allowSoftwareKeys }: DeviceOptions): Promise<Device> {
  await makeFolder(dir);
  const driver = softwareDriver({ dir: join(dir, "keys"), allowSoftwareKeys });
  const treeSize = await claimedSize(dir);
  const kx = await keyOf(driver, "kx", treeSize === null);
  const sig = await keyOf(driver, "sig", treeSize === null);
  const mono = (): number => performance.now();
  const floor = new TimeFloor(Date.now, mono);
  await keepFloor(dir, floor);
  const sigSpki = await sigText(driver, sig);
  const sign = (message: Uint8Array): Promise<Uint8Array> => driver.sign(sig, message);
  return {
    kx: await kxText(driver, kx),
    sig: sigSpki,
    point: await driver.publicKey(kx),
    ecdh: ecdhOf(driver, kx),
    sign,
    audit: new MachineAudit({ dir, sig: sigSpki, sign, now: () => floor.now(), mono }),
    floor,
    envelopes: await EnvelopeStore.open(join(dir, "envelopes")),
    lease: await LeaseStore.open(dir),
    mono,
    treeSize: treeSize ?? 0,
  };
}

async function keyOf(driver: DeviceKeyDriver, use: KeyUse, isFirstStart: boolean): Promise<KeyHandle> {
  const found = await driver.find(use);
  if (found !== null) return found;
  if (!isFirstStart) throw keyError("gone", use, "the folder has a log, but not its key");
  return await driver.generate(use);
}

async function claimedSize(dir: string): Promise<number | null> {
  const note = await readIfThere(join(dir, "log", "checkpoint"));
  if (note === null) return null;
  const size = Number(new TextDecoder().decode(note).split("\n")[1]);
  return Number.isSafeInteger(size) ? size : 0;
}
