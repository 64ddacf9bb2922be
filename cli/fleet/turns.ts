import { open, readFile, rm, stat } from "node:fs/promises";
import { isErrno } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { sleep } from "#base/time/index.ts";
import { Mutex, type Turns } from "#reconciler/source/index.ts";

const PATIENCE_MS = 120_000; // two downloads, each with its deadline
const STEP_MS = 25;
const STEAL_MS = 10_000; // taking over is two file operations; whoever began it so long ago is gone

/** Turns among all processes of this machine that name `path`: a file with the number of the one whose turn it is. What a process that ended left behind is
 *  taken over. Throws CACHE_BUSY after two minutes. */
export function fileTurns(path: string, patienceMs = PATIENCE_MS): Turns {
  const own = new Mutex();
  return {
    run: (work) =>
      own.run(async () => {
        await take(path, patienceMs);
        try {
          return await work();
        } finally {
          await rm(path, { force: true });
        }
      }),
  };
}

async function take(path: string, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  while (!(await create(path))) {
    const holder = await holderOf(path);
    if (holder !== null && !isAlive(holder)) await clear(path, holder);
    else if (performance.now() > until)
      throw new MooringError("CACHE_BUSY", path, { why: `process ${holder ?? "unknown"} has been using this folder for long` });
    else await sleep(STEP_MS);
  }
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${process.pid}\n`);
    } finally {
      await file.close();
    }
    return true;
  } catch (err) {
    if (isErrno(err, "EEXIST")) return false;
    throw err;
  }
}

/** Null while nobody holds it, or whoever has just made the file has not written its number yet. */
async function holderOf(path: string): Promise<number | null> {
  try {
    const text = await readFile(path, "utf8");
    if (/^\d+\n$/.test(text)) return Number(text);
    return (await isOld(path)) ? 0 : null;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return null;
    throw err;
  }
}

/** Removes what `holder` left. One process at a time does so, or the second would remove the file of whoever came in between. */
async function clear(path: string, holder: number): Promise<void> {
  const steal = `${path}.steal`;
  if (!(await create(steal))) {
    if (await isOld(steal)) await rm(steal, { force: true });
    await sleep(STEP_MS);
    return;
  }
  try {
    if ((await holderOf(path)) === holder) await rm(path, { force: true });
  } finally {
    await rm(steal, { force: true });
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < Date.now() - STEAL_MS;
  } catch (err) {
    if (isErrno(err, "ENOENT")) return false;
    throw err;
  }
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false; // a file that was never written to its end
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return !isErrno(err, "ESRCH");
  }
}
