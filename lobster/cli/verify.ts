import { execFile } from "node:child_process";
import { readlink, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { readCanonical } from "#base/canonical/index.ts";
import { isErrno, readIfThere } from "#base/durable/index.ts";
import { isErrorCode, MooringError } from "#base/errors/index.ts";
import { indexOf, machineRoot } from "#proof/root/index.ts";
import { type Desired, generationRecord, type IdentitySection, type PluginSection, problem as problemSchema } from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import type { Layout, Uids } from "../contract.ts";
import { openContentStore } from "../content/index.ts";
import { observeTree } from "../live/index.ts";

export type Verified = { readonly text: string; readonly isWhole: boolean };

/** `verify`: reads the current generation from the disk, without the agent, and hashes every byte of it against the signed lists; then checks the
 *  audit log from its files. `text` names each path that is not whole. Changes nothing. */
export async function verifyMachine(layout: Layout, uids: Uids | null, logEntry: string): Promise<Verified> {
  const folder = await currentFolder(layout);
  if (folder === null) return { text: "no generation yet\n", isWhole: true };
  const desired = await readGeneration(folder);
  const lines: string[] = [];
  const content = await openContentStore(layout.content);
  for (const section of desired.sections.filter((one): one is PluginSection => one.kind === "plugin")) {
    const held = await content.record(section.bundle);
    if (held === null) lines.push(`plugin/${section.name}: its list is not kept here`);
    else
      for (const drift of await observeTree(
        await treeOf(folder, section.name),
        held,
        uids === null ? (process.getuid?.() ?? 0) : 0,
        new Map(),
        "hash",
      )) {
        lines.push(`plugin/${section.name}: ${drift.path} ${drift.what}`);
      }
  }
  const audit = await auditOf(desired, layout, uids, logEntry);
  if (audit.error !== null) lines.push(audit.error);
  const head = `generation ${basename(folder)}: ${lines.length === 0 ? `whole; audit log: ${audit.entries} entries, whole` : "NOT WHOLE"}\n`;
  return { text: head + lines.map((line) => `  ${line}\n`).join(""), isWhole: lines.length === 0 };
}

async function currentFolder(layout: Layout): Promise<string | null> {
  try {
    return join(layout.generations, basename(await readlink(join(layout.generations, "current"))));
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}

/** A tree may lie in an earlier generation that brought the same bundle. */
async function treeOf(folder: string, name: string): Promise<string> {
  const own = join(folder, "plugins", name);
  try {
    return await realpath(own);
  } catch (err) {
    if (isErrno(err, "ENOENT")) return own; // all of it shows as missing
    throw err;
  }
}

async function readGeneration(folder: string): Promise<Desired> {
  const [record, desired] = await Promise.all(["record.json", "desired.json"].map((name) => readIfThere(join(folder, name))));
  if (!record || !desired) throw new MooringError("AGENT_STATE_WRONG", `${folder}: not a whole generation`);
  const noted = z.parse(generationRecord, readCanonical(record));
  const document = readCanonical(desired) as unknown as Desired; // its root is compared with the record's below
  if (machineRoot(document.fleet, document.machine, indexOf(document.sections)) !== noted.root)
    throw new MooringError("AGENT_STATE_WRONG", `${folder}: desired.json does not give the recorded root`);
  return document;
}

type Audit = { readonly entries: number; readonly error: string | null };

async function auditOf(desired: Desired, layout: Layout, uids: Uids | null, entry: string): Promise<Audit> {
  const identity = desired.sections.find((one): one is IdentitySection => one.kind === "identity");
  if (identity === undefined) throw new MooringError("AGENT_STATE_WRONG", "the current generation names no identity");
  const origin = `mooring/${desired.fleet}/${desired.machine}/${identity.incarnation}`;
  const answer = await outputOf([entry, join(layout.bridge, "log"), origin, identity.sig], uids?.bridge ?? null);
  if (/^\d+\n$/.test(answer)) return { entries: Number(answer), error: null };
  const found = problemSchema.safeParse(JSON.parse(answer === "" ? "null" : answer));
  if (!found.success || !isErrorCode(found.data.code)) return { entries: 0, error: "audit log: its check ended without an answer" };
  return { entries: 0, error: `${found.data.code}: ${found.data.message}${found.data.why === undefined ? "" : ` (${found.data.why})`}` };
}

function outputOf(args: readonly string[], uid: number | null): Promise<string> {
  const as = uid === null ? {} : { uid, gid: uid };
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], { cwd: "/", env: {}, timeout: 60_000, ...as }, (_err, stdout) => resolve(stdout)); // the exit code repeats what stdout says
  });
}
