import { newLoadCache } from "#reconciler/desired/index.ts";
import { outcomeOf } from "#reconciler/revision/index.ts";
import type { Tree } from "#reconciler/source/index.ts";
import { demandOutcome, demandRead, openFleet, type ReadOutcome, type SourceOptions } from "./fleet/open.ts";
import type { Out } from "./io.ts";
import { readFolder } from "./validate.ts";
import { VERSION } from "./version.ts";

/** `mooring trust-root`: the leaf of the trust section of main, or of a checkout. It says what is there, not whether to believe it: read the section
 *  first, that is the point of pinning it. */
export async function trustRoot(options: { readonly dir: string } | SourceOptions, out: Out): Promise<number> {
  const outcome = "dir" in options ? await outcomeOfFolder(options.dir) : await outcomeOfMain(options);
  out.write(`${outcome.resolved.trustLeaf}\n`);
  return 0;
}

/** What a checkout asks for; throws FLEET_INVALID. */
export async function outcomeOfFolder(dir: string): Promise<ReadOutcome> {
  const files = await readFolder(dir);
  const tree: Tree = new Map([...files].map(([path, { oid }]) => [path, { oid, mode: "100644" }]));
  return demandRead(await outcomeOf(dir, tree, files, newLoadCache(), VERSION));
}

async function outcomeOfMain(options: SourceOptions): Promise<ReadOutcome> {
  const fleet = await openFleet(options);
  return demandOutcome(fleet, fleet.main);
}
