import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { canon } from "#base/canonical/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Uids } from "../contract.ts";

const schema = z.strictObject({ v: z.literal(1), uids: z.record(z.string(), z.int()) });

/** Who runs under which uid. */
export type UidBook = {
  /** The uid of plugin `id`, the same for good; durable before it is answered. Throws PLUGIN_UIDS_SPENT when the range is used up. */
  of(id: string): Promise<number>;
  /** All uids given out so far. */
  all(): readonly number[];
};

/** Opens the book `file`. A uid goes to one plugin and comes back only when the range is spent and the plugin's folder under `plugins` is gone:
 *  a file left anywhere else on the disk by a removed plugin may then belong to another one, so ranges are chosen wide. */
export async function openUidBook(file: string, plugins: string, range: Pick<Uids, "pluginFirst" | "pluginCount">): Promise<UidBook> {
  const book = new Map(Object.entries(await readBook(file)));
  const save = (): Promise<void> => writeDurable(file, canon({ v: 1, uids: Object.fromEntries(book) }));
  let turn: Promise<unknown> = Promise.resolve();
  const allocate = async (id: string): Promise<number> => {
    const known = book.get(id);
    if (known !== undefined) return known;
    const uid = freeUid(book, range) ?? reclaim(book, plugins, range);
    book.set(id, uid);
    await save();
    return uid;
  };
  return {
    of(id) {
      const next = turn.then(() => allocate(id));
      turn = next.catch(() => undefined); // the caller of `next` gets the error; the next caller its own try
      return next;
    },
    all: () => [...book.values()],
  };
}

async function readBook(file: string): Promise<Record<string, number>> {
  const bytes = await readIfThere(file);
  if (bytes === null) return {};
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString("utf8"))).uids;
  } catch (cause) {
    throw new MooringError("UIDS_UNREADABLE", `${file} is not a book of uids`, { cause });
  }
}

function freeUid(book: ReadonlyMap<string, number>, range: Pick<Uids, "pluginFirst" | "pluginCount">): number | null {
  const used = new Set(book.values());
  for (let uid = range.pluginFirst; uid < range.pluginFirst + range.pluginCount; uid++) if (!used.has(uid)) return uid;
  return null;
}

function reclaim(book: Map<string, number>, plugins: string, range: Pick<Uids, "pluginFirst" | "pluginCount">): number {
  for (const id of book.keys()) if (!existsSync(join(plugins, id))) book.delete(id);
  const uid = freeUid(book, range);
  if (uid !== null) return uid;
  throw new MooringError("PLUGIN_UIDS_SPENT", `all ${range.pluginCount} uids from ${range.pluginFirst} are given out`);
}
