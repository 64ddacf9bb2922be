import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import * as z from "zod/mini";
import { readIfThere } from "#base/durable/index.ts";
import { killAll } from "./kill.ts";
import { type ProcessTable, processTable } from "./processes.ts";

const schema = z.object({ boot: z.string(), runs: z.array(z.object({ pid: z.int(), started: z.string() })) });

/** Ends what an agent that crashed left running, before anything new starts. With own uids: every process of a uid that a plugin ever had. With
 *  one uid: the process groups noted by `noteRuns` whose leader is still the same process; one that left its group is not found then, which is
 *  one of the reasons why that mode is called insecure. Answers how many processes would not die. */
export async function killLeftovers(
  from: { readonly uids: readonly number[] } | { readonly file: string },
  table: ProcessTable = processTable,
): Promise<number> {
  if ("uids" in from) {
    const uids = new Set(from.uids.filter((uid) => uid > 0));
    return uids.size === 0 ? 0 : killAll((one) => one.uids.some((uid) => uids.has(uid)), table);
  }
  const noted = await readNotes(from.file);
  const groups = new Set(
    table()
      .filter((one) => noted.some((run) => run.pid === one.pid && run.started === one.started))
      .map((one) => one.pid),
  );
  return groups.size === 0 ? 0 : killAll((one) => groups.has(one.group), table);
}

/** Notes the leaders that run now, for the next agent. Not durable: a power cut ends them too. */
export async function noteRuns(file: string, pids: readonly number[], table: ProcessTable = processTable): Promise<void> {
  const runs = table().flatMap((one) => (pids.includes(one.pid) ? [{ pid: one.pid, started: one.started }] : []));
  await writeFile(`${file}.tmp`, JSON.stringify({ boot: bootId(), runs }), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

async function readNotes(file: string): Promise<readonly { readonly pid: number; readonly started: string }[]> {
  const bytes = await readIfThere(file);
  if (bytes === null) return [];
  const notes = schema.safeParse(parsed(bytes));
  return notes.success && notes.data.boot === bootId() ? notes.data.runs : [];
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return null; // a note cut short names nobody
  }
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return ""; // macOS: `started` is a date there and enough
  }
}
