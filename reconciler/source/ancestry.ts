import { MooringError } from "#base/errors/index.ts";
import type { Objects, Oid } from "./objects.ts";

const MAX_WALK = 100_000; // commits looked at before we call a history unreasonable

/** First parents from `from` (included, newest first) down to `until` (left out), at most `limit` commits. Where `until` is null or not on
 *  the line the walk ends at the root commit or at the limit. */
export async function history(objects: Objects, from: Oid, until: Oid | null, limit: number): Promise<readonly Oid[]> {
  const line: Oid[] = [];
  for (let oid: Oid | undefined = from; oid !== undefined && oid !== until && line.length < limit; ) {
    line.push(oid);
    oid = (await objects.commit(oid)).parents[0];
  }
  return line;
}

/** Whether `ancestor` is `head` or reachable from it through any parent. `ancestor` itself needs not be in the store. */
export async function isAncestor(objects: Objects, ancestor: Oid, head: Oid): Promise<boolean> {
  for await (const oid of walk(objects, [head], new Set())) if (oid === ancestor) return true;
  return false;
}

/** Every commit reachable from `head` and not from `base`; parents after children is not promised. */
export async function commitRange(objects: Objects, base: Oid | null, head: Oid): Promise<readonly Oid[]> {
  const behind = new Set<Oid>();
  if (base !== null) for await (const oid of walk(objects, [base], new Set())) behind.add(oid);
  const range: Oid[] = [];
  for await (const oid of walk(objects, [head], behind)) range.push(oid);
  return range;
}

/** The best common ancestors of two commits; more than one means a criss-cross history, none unrelated ones. */
export async function mergeBases(objects: Objects, a: Oid, b: Oid): Promise<readonly Oid[]> {
  const left = new Set<Oid>();
  for await (const oid of walk(objects, [a], new Set())) left.add(oid);
  const common: Oid[] = [];
  const stop = new Set<Oid>();
  for await (const oid of walk(objects, [b], stop)) {
    if (!left.has(oid)) continue;
    common.push(oid);
    for (const parent of (await objects.commit(oid)).parents) stop.add(parent);
  }
  const best: Oid[] = [];
  for (const oid of common) {
    const others = common.filter((other) => other !== oid);
    const below = await Promise.all(others.map((other) => isAncestor(objects, oid, other)));
    if (!below.includes(true)) best.push(oid);
  }
  return best;
}

/** Breadth first over all parents; commits in `skip` are neither given nor followed. */
async function* walk(objects: Objects, heads: readonly Oid[], skip: ReadonlySet<Oid>): AsyncGenerator<Oid> {
  const seen = new Set<Oid>(heads);
  const queue = [...heads];
  for (let i = 0; i < queue.length; i++) {
    const oid = queue[i] ?? "";
    if (skip.has(oid)) continue;
    if (i > MAX_WALK) throw new MooringError("SOURCE_TOO_LARGE", `history of ${heads[0] ?? ""}`, { why: `more than ${MAX_WALK} commits` });
    yield oid;
    for (const parent of (await objects.commit(oid)).parents) {
      if (!seen.has(parent)) queue.push(parent);
      seen.add(parent);
    }
  }
}
