import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Machine, treeOf } from "../machines.ts";
import { run } from "../run.ts";
import { type Chapter, holdings, pluginsOf, type Say, type Stage } from "../stage.ts";
import { check, DemoFailure, until } from "../wait.ts";

/** Hands on two machines, then on the third with the hub dead: each puts itself right. */
export const drift: Chapter = {
  title: "Somebody tampers with three machines, once with the hub killed",
  run: async (stage, say) => {
    const [one, two, three] = stage.machines;
    if (one === undefined || two === undefined || three === undefined) throw new DemoFailure("three machines are needed");
    await inSync(stage, "all machines in sync before anybody tampers"); // the last change may still be on its way to some
    const before = await holdings(stage);
    await showRsync(stage, one, say);
    const first = await runsOf(stage, one);
    const quiet = await quietChange(one, "dist/vendor/sdk.js");
    await ranAgain(stage, one, first);
    say(`mini-01: one byte of sdk.js, same size and mtime: corrected in ${quiet} ms`);
    const runs = await runsOf(stage, two);
    const loud = await replaced(two, "dist/main.js");
    say(`mini-02: the plugin's code replaced: corrected in ${loud} ms`);
    await ranAgain(stage, two, runs);
    say("mini-02: the plugin was started again, from the released code");
    await stage.hub.process().kill();
    say("the hub is killed (SIGKILL)");
    const last = await runsOf(stage, three);
    const alone = await quietChange(three, "dist/main.js");
    await ranAgain(stage, three, last);
    check(!stage.hub.process().isAlive(), "the hub was to be dead");
    say(`mini-03: corrected in ${alone} ms, without a hub`);
    await comeBack(stage, before, say);
    return { drift: { injected: 2, corrected: [quiet, loud].length, hubDownCorrected: true, ms: [quiet, loud, alone] } };
  },
};

/** A hub that comes back finds everything in order and does nothing twice: no generation, root, release or process of a plugin is another one. */
async function comeBack(stage: Stage, before: string, say: Say): Promise<void> {
  const { hub, operator, vault, trust } = stage;
  const whole = async (): Promise<string> => `${await holdings(stage)}\n${await runs(stage)}`;
  let seen = "";
  await until(
    "all machines as before, by themselves",
    20_000,
    async () => ((seen = await holdings(stage)) === before ? true : null),
    () => seen,
  );
  await until("all plugins well, by themselves", 20_000, async () =>
    (await pluginsOf(stage, "greeter")).every(({ health, state, pid }) => health === "healthy" && state === "running" && pid !== null)
      ? true
      : null,
  );
  const alone = await whole();
  await hub.start(operator.url, vault.socket, trust);
  await inSync(stage, "all machines in sync after its restart");
  await sleep(500);
  const after = await whole();
  check(after === alone, `the hub did something twice after its restart:\n${alone}\nthen\n${after}`);
  say("the hub is back: all in sync, and it did nothing twice");
}

function inSync({ hub, machines }: Stage, what: string): Promise<unknown> {
  return hub.when(
    what,
    30_000,
    (status) => status.machines.length === machines.length && status.machines.every((machine) => machine.inSync),
  );
}

async function runs(stage: Stage): Promise<string> {
  const all = [...(await pluginsOf(stage, "greeter")), ...(await pluginsOf(stage, "farewell"))];
  return all.map(({ machine, id, runSeq, pid }) => `${machine} ${id} run ${runSeq} process ${pid}`).join("\n");
}

/** What a tool that looks at size and time would see: the same change on a copy, so that the machine can't put it right meanwhile. */
async function showRsync(stage: Stage, machine: Machine, say: Say): Promise<void> {
  const pristine = join(stage.world.root, "pristine");
  const tampered = join(stage.world.root, "tampered");
  for (const copy of [pristine, tampered]) execFileSync("cp", ["-RLp", treeOf(machine, "greeter"), copy]);
  const file = "dist/vendor/sdk.js";
  writeQuietly(join(tampered, file));
  const [a, b] = [pristine, tampered].map((copy) => statSync(join(copy, file), { bigint: true }));
  check(a?.size === b?.size && a?.mtimeNs === b?.mtimeNs, "the tampered copy differs in size or mtime");
  check(!readFileSync(join(pristine, file)).equals(readFileSync(join(tampered, file))), "the tampered copy does not differ");
  const listed = await run("rsync", ["-a", "--dry-run", "-i", `${pristine}/`, `${tampered}/`]).catch(() => null);
  if (listed === null) say("the change keeps size and mtime, all that `rsync -a` compares (no rsync here to show it)");
  else {
    const files = listed.stdout.split("\n").filter((line) => line.includes(file));
    check(listed.code === 0 && files.length === 0, `rsync saw the change: ${listed.stdout}${listed.stderr}`);
    const summed = await run("rsync", ["-a", "--checksum", "--dry-run", "-i", `${pristine}/`, `${tampered}/`]);
    check(summed.stdout.includes(file), `rsync --checksum did not see the change either: ${summed.stdout}${summed.stderr}`);
    say("`rsync -a --dry-run -i` on a copy with the change: unchanged (only --checksum sees it)");
  }
  for (const copy of [pristine, tampered]) rmSync(copy, { recursive: true });
}

/** Turns one bit of `path`; size and mtime stay, to the nanosecond. */
function writeQuietly(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  withCopy(path, (copy) => {
    put(path, copy, bytes);
    if (process.getuid?.() === 0) execFileSync("touch", ["-r", copy, path]);
  });
}

function writeLoudly(path: string): void {
  withCopy(path, (copy) => put(path, copy, Buffer.from('console.log("not what was reviewed");\n')));
}

/** Root writes into the read-only file itself; anybody else can only put a changed copy, with its mode and mtime, in its place. */
function put(path: string, copy: string, bytes: Buffer): void {
  if (process.getuid?.() === 0) return writeFileSync(path, bytes);
  const changed = `${copy}-changed`;
  execFileSync("cp", ["-p", copy, changed]);
  const { mode } = statSync(changed);
  chmodSync(changed, 0o600);
  writeFileSync(changed, bytes);
  chmodSync(changed, mode & 0o777);
  execFileSync("touch", ["-r", copy, changed]);
  renameSync(changed, path);
}

function withCopy(path: string, use: (copy: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "mooring-copy-"));
  try {
    execFileSync("cp", ["-p", path, join(folder, "t")]);
    use(join(folder, "t"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function quietChange(machine: Machine, file: string): Promise<number> {
  return corrected(machine, file, writeQuietly);
}

async function replaced(machine: Machine, file: string): Promise<number> {
  return corrected(machine, file, writeLoudly);
}

/** Milliseconds from the change to the released bytes being there again. */
async function corrected(machine: Machine, file: string, change: (path: string) => void): Promise<number> {
  const path = join(treeOf(machine, "greeter"), file);
  const released = readFileSync(path);
  change(path);
  const startMs = performance.now();
  await until(`${machine.name} corrects ${file}`, 60_000, () => (readFileSync(path).equals(released) ? true : null), undefined, 2);
  return Math.round(performance.now() - startMs);
}

/** A process may have loaded what was changed, so the agent starts it anew once the files are back. */
async function ranAgain(stage: Stage, machine: Machine, before: number): Promise<void> {
  await until(`${machine.name} runs its plugin again, from the start`, 20_000, async () =>
    (await runsOf(stage, machine)) > before ? true : null,
  );
}

/** The run the greeter is in; 0 while it is between two. */
async function runsOf(stage: Stage, machine: Machine): Promise<number> {
  const found = (await stage.watch(machine.name).status()).plugins.find(({ id, state }) => id === "greeter" && state === "running");
  return found?.runSeq ?? 0;
}
