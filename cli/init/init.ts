import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { publicHalf } from "../sign/index.ts";
import { answersOf, type Questions, type Surroundings } from "./answers.ts";
import { filesFor } from "./files.ts";
import { type Recovery, recoveryOf } from "./recovery.ts";
import { doneText, paperText } from "./words.ts";

export type InitOptions = Questions & {
  /** Add to a folder that has other files; never overwrites one. */
  readonly merge: boolean;
  /** Private key or .pub file of the recovery principal, made elsewhere. */
  readonly recoveryKey?: string;
  /** age recipient of the escrow, made elsewhere. */
  readonly recoveryRecipient?: string;
  /** File outside the repo for the private halves that were made here, instead of the terminal. */
  readonly paper?: string;
};

/** `mooring init`: a fleet repo in folder `dir` that validates and can be released. The private halves of recovery are shown once, or written to the
 *  file asked for, and are nowhere else. Throws INIT_FOLDER_TAKEN before anything is written where a file would be overwritten. */
export async function init(options: InitOptions, around: Surroundings): Promise<number> {
  await demandRoom(options);
  if (options.paper !== undefined && !relative(options.dir, options.paper).startsWith(".."))
    throw new MooringError("USAGE", "mooring init --paper", { why: "the file would lie in the repo, where private keys never are" });
  const answers = await answersOf(options, around);
  const recovery = await recoveryFor(options, answers.name, around);
  const { files, trustRoot } = await filesFor(answers, recovery);
  await demandFree(options.dir, files);
  if (recovery.paper !== null) await handOver(recovery.paper, options, answers.name, around);
  for (const [path, text] of files) await writeNew(join(options.dir, path), text);
  around.out.write(doneText({ dir: options.dir, answers, paths: [...files.keys()], trustRoot }));
  return 0;
}

/** An empty folder, or one that is only a git repository, or --merge. */
async function demandRoom({ dir, merge }: InitOptions): Promise<void> {
  const names = await namesIn(dir);
  if (merge || names.every((name) => name === ".git")) return;
  throw taken(
    dir,
    `it holds ${names.filter((name) => name !== ".git").length} other entries`,
    "choose an empty folder, or add --merge: no file is overwritten",
  );
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (err) {
    if (isErrno(err, "ENOENT")) return [];
    if (isErrno(err, "ENOTDIR")) throw taken(dir, "it is a file", "choose another name");
    throw err;
  }
}

async function demandFree(dir: string, files: ReadonlyMap<string, string>): Promise<void> {
  const there = new Set((await namesIn(dir)).length === 0 ? [] : await readdir(dir, { recursive: true }));
  const [first, ...more] = [...files.keys()].filter((path) => there.has(path));
  if (first === undefined) return;
  throw taken(
    join(dir, first),
    more.length === 0 ? "the file is there already" : `it and ${more.length} more are there already`,
    "move them away first",
  );
}

async function writeNew(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { flag: "wx" });
}

async function recoveryFor({ recoveryKey, recoveryRecipient, paper }: InitOptions, name: string, around: Surroundings): Promise<Recovery> {
  const isComplete = recoveryKey !== undefined && recoveryRecipient !== undefined;
  if (!isComplete && paper === undefined && around.ask === null)
    throw new MooringError("CONFIRMATION_NEEDED", "mooring init makes keys for recovery, and there is no terminal to show them on", {
      fix: "name a file for them outside the repo with --paper, or give --recovery-key and --recovery-recipient",
    });
  if (recoveryRecipient !== undefined && !/^age1[02-9ac-hj-np-z]{58}$/.test(recoveryRecipient))
    throw new MooringError("USAGE", "mooring init --recovery-recipient", { why: "it is an age recipient, age1 and 58 more characters" });
  const key = recoveryKey === undefined ? undefined : await publicHalf(recoveryKey);
  return recoveryOf(
    { ...(key === undefined ? {} : { key }), ...(recoveryRecipient === undefined ? {} : { recipient: recoveryRecipient }) },
    name,
  );
}

/** Before the repo is written: keys that nobody kept would be worse than none. */
async function handOver(text: string, { paper, yes }: InitOptions, name: string, { out, ask }: Surroundings): Promise<void> {
  if (paper !== undefined) {
    await mkdir(dirname(paper), { recursive: true });
    await writeFile(paper, paperText(name, text), { flag: "wx", mode: 0o600 });
    out.write(`Recovery keys: ${paper}. Print it, lock it away, then destroy the file; nothing else holds them.\n`);
    return;
  }
  out.write(`\n${paperText(name, text)}\n`);
  if (yes || ask === null) return;
  const isKept = async (): Promise<boolean> => /^y(es)?$/i.test((await ask("Is it on paper? It is not shown again (yes)", "no")).trim());
  while (!(await isKept()));
}

function taken(path: string, why: string, fix: string): MooringError {
  return new MooringError("INIT_FOLDER_TAKEN", path, { why, fix });
}
