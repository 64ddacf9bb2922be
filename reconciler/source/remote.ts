import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "#base/durable/index.ts";
import type { Objects, Oid } from "./objects.ts";
import { PACK_LIMITS } from "./pack/limits.ts";
import { receivePack } from "./pack/receive.ts";
import { refOf } from "./refs.ts";
import type { Transport } from "./transport/index.ts";

/** Branch or full reference → tip, of those that exist on the server. */
export async function listTips(transport: Transport, branches: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Oid>> {
  const names = new Map(branches.map((branch) => [refOf(branch), branch]));
  const refs = await transport.listRefs([...names.keys()], signal);
  return new Map([...refs].flatMap(([ref, oid]) => (names.has(ref) ? [[names.get(ref) ?? "", oid]] : [])));
}

/** Downloads the newest commit of a branch, `tip`, without its history, into the folder `gitdir`, which may be empty; to build upon it once. */
export async function fetchTip(transport: Transport, gitdir: string, objects: Objects, tip: Oid, signal: AbortSignal): Promise<void> {
  await makeFolder(join(gitdir, "objects/pack"));
  const { pack } = await transport.fetchPack({ wants: [tip], haves: [], depth: 1 }, signal);
  await receivePack(pack, gitdir, { lookup: () => null, limits: PACK_LIMITS, signal });
  await objects.commit(tip); // there, whole, and what its id says
  await writeFile(join(gitdir, "shallow"), `${tip}\n`); // gitrepository-layout(5): nobody looks for its parents
}
