import { MooringError } from "#base/errors/index.ts";
import { Colours } from "./colours.ts";
import type { Objects, Oid } from "./objects.ts";

const MAX_WALK = 100_000; // commits looked at before we call a history unreasonable

/** First parents from `from` (included, newest first) down to `until` (left out), at most `limit` commits. Where `until` is null or not on
 *  the line the walk ends at the root commit or at the limit. */
export async function history(objects: Objects, from: Oid, until: Oid | null, limit: number): Promise<readonly Oid[]> {
  const line: Oid[] = [];
  for (let oid: Oid | undefined = from; oid !== undefined && oid !== until && line.length < limit; ) {
    const { parents } = await objects.commit(oid);
    line.push(oid);
    oid = parents[0];
  }
  return line;
}

/** Whether `ancestor` is `head` or reachable from it through any parent. `ancestor` itself needs not be in the store. Older history is asked for only when
 *  the answer is not in what is here. */
export async function isAncestor(objects: Objects, ancestor: Oid, head: Oid): Promise<boolean> {
  const seen = new Set<Oid>([head]);
  const queue = [head];
  let beyond: Oid[] = []; // commits that are not here
  const follow = async (oid: Oid): Promise<void> => {
    for (const parent of (await objects.commit(oid)).parents) {
      if (!seen.has(parent)) queue.push(parent);
      seen.add(parent);
    }
  };
  for (let next = 0; ; ) {
    for (; next < queue.length; next++) {
      const oid = queue[next] ?? "";
      if (oid === ancestor) return true;
      if (next > MAX_WALK) throw unreasonable(head);
      if (objects.has(oid)) await follow(oid);
      else beyond.push(oid);
    }
    const [first] = beyond;
    if (first === undefined) return false;
    if (!(await objects.more())) await objects.commit(first); // throws: it is nowhere
    const waiting = beyond;
    beyond = waiting.filter((oid) => !objects.has(oid));
    for (const oid of waiting) if (objects.has(oid)) await follow(oid);
  }
}

/** Every commit reachable from `head` and not from `base`; parents after children is not promised. */
export async function commitRange(objects: Objects, base: Oid | null, head: Oid): Promise<readonly Oid[]> {
  const colours = new Colours(objects, MAX_WALK, () => unreasonable(head));
  await colours.paint(base === null ? [head] : [head, base], (colour) => colour === 1);
  await colours.exhaust(2);
  return colours.of(1);
}

/** The best common ancestors of two commits; more than one means a criss-cross history, none unrelated ones. */
export async function mergeBases(objects: Objects, a: Oid, b: Oid): Promise<readonly Oid[]> {
  const colours = new Colours(objects, MAX_WALK, () => unreasonable(a));
  await colours.paint([a, b], (colour) => colour !== 3);
  const common = colours.newest(3);
  const best: Oid[] = [];
  for (const oid of common) {
    const others = common.filter((other) => other !== oid);
    const below = await Promise.all(others.map((other) => isAncestor(objects, oid, other)));
    if (!below.includes(true)) best.push(oid);
  }
  return best;
}

function unreasonable(head: Oid): MooringError {
  return new MooringError("SOURCE_TOO_LARGE", `history of ${head.slice(0, 12)}`, { why: `more than ${MAX_WALK} commits` });
}
