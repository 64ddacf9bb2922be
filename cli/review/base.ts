import type { Finding } from "#reconciler/desired/index.ts";
import type { Oid } from "#reconciler/source/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { VERSION } from "../version.ts";
import type { Checkout } from "./checkout/index.ts";
import { type Compared, filesOfCommit } from "./read.ts";
import { readSide, type Side, type SideCache } from "./side.ts";

const MAX_COMMITS = 64;

/** What a change is compared with. Where the base itself can't be read that is the newest of its first parents that can, as it is on the hub, which stays
 *  there: else whoever breaks main hides what the repair takes away, and brings policies of his own. `broken` says so. */
export async function readBase(
  checkout: Checkout,
  { base }: Compared,
  cache: SideCache,
): Promise<{ readonly base: Side | null; readonly broken: readonly Finding[] }> {
  if (base === null) return { base: null, broken: [] };
  const side = await readSide(base.revision, base.files, cache, VERSION);
  if (side.whole !== null) return { base: side, broken: [] };
  const before = await lastReadable(checkout, base.revision, cache);
  return before === null ? { base: side, broken: [] } : { base: before, broken: brokenBy(side, before) };
}

async function lastReadable({ objects, ...checkout }: Checkout, from: Oid, cache: SideCache): Promise<Side | null> {
  let [next] = (await objects.commit(from)).parents;
  for (let i = 0; next !== undefined && i < MAX_COMMITS; i++) {
    try {
      const side = await readSide(next, await filesOfCommit({ objects, ...checkout }, next), cache, VERSION);
      if (side.whole !== null) return side;
      [next] = (await objects.commit(next)).parents;
    } catch (err) {
      if (hasCode(err, "SOURCE_OBJECT_MISSING")) return null; // the clone is cut short here
      throw err;
    }
  }
  return null;
}

function brokenBy({ revision, findings }: Side, before: Side): readonly Finding[] {
  const first = findings.find(({ level }) => level === "error");
  if (first === undefined) return [];
  const message = `the base ${revision.slice(0, 8)} can't be read here, so ${before.revision.slice(0, 8)} before it is compared: ${first.message}`;
  return [{ ...first, level: "warning", message, fix: "merging a correction repairs it" }];
}
