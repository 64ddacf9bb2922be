import { type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type UnpackCommand, unpackInChild } from "#bundle/read/index.ts";
import { openPack, type Unwrap } from "#bundle/sealed/index.ts";
import { checkTree } from "#bundle/statement/index.ts";
import type { HeldBundle } from "#lobster/contract.ts";
import { type PluginStatement, verifyPlugin } from "#proof/sigstore/index.ts";
import type { Desired, PluginSection } from "#schemas/wire/index.ts";
import { type ContentStore, pluginsOf } from "../content/index.ts";
import { identityOf } from "./sections.ts";

export type BundleTools = { readonly content: ContentStore; readonly unwrap: Unwrap; readonly unpack: UnpackCommand };

/** Bundles that `desired` needs and this machine lacks: not kept, rotten, or kept under a signature the section does not ask for. */
export async function missingBundles(desired: Desired, content: ContentStore): Promise<readonly Digest[]> {
  const missing = new Set<Digest>();
  for (const section of pluginsOf(desired)) if (!(await isHeld(section, content))) missing.add(section.bundle);
  return [...missing].sort();
}

async function isHeld(section: PluginSection, content: ContentStore): Promise<boolean> {
  const bundleJson = await content.signature(section.bundle);
  if (bundleJson === null || (await content.intact(section.bundle)) === null) return false;
  try {
    verifyPlugin({ bundleJson, digest: section.bundle }, wantOf(section));
    return true;
  } catch (err) {
    if (err instanceof MooringError) return false; // the hub sends it again, and the answer to that names the reason
    throw err;
  }
}

/** Takes a pack in: opened with the machine's key, each wanted bundle verified against its section, unpacked in the unprivileged child, held
 *  against its signed list, and only then stored. Bundles nobody asked for are left out; PACK_UNWANTED when that leaves none. */
export async function takePack(bytes: Uint8Array, desired: Desired, tools: BundleTools): Promise<readonly Digest[]> {
  const mine = { fleet: desired.fleet, machine: desired.machine, kx: identityOf(desired).kx };
  const taken: Digest[] = [];
  for (const blob of await openPack(bytes, tools.unwrap, mine)) {
    const bundle = digestOf(blob.tgz);
    const section = pluginsOf(desired).find((section) => section.bundle === bundle);
    if (section === undefined) continue;
    const statement = verifyPlugin(blob, wantOf(section));
    const files = await unpackInChild(tools.unpack, blob.tgz);
    checkTree(statement, files);
    const byPath = new Map(files.map((file) => [file.path, file.bytes]));
    await tools.content.put(heldOf(statement), async (path) => byPath.get(path) ?? new Uint8Array(), blob.bundleJson);
    taken.push(statement.bundle);
  }
  if (taken.length === 0) throw new MooringError("PACK_UNWANTED", "the pack has no bundle that the accepted release asks for");
  return taken;
}

function wantOf(section: PluginSection) {
  return { id: section.name, version: section.version, serial: section.serial, bundle: section.bundle, signer: section.signer };
}

function heldOf(statement: PluginStatement): HeldBundle {
  const { bundle, tree, main, files } = statement;
  return { bundle, tree, main, files };
}
