import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { genFleet } from "../../scripts/gen-fleet.ts";
import { median, rounded } from "../cpu.ts";

const MAIN = join(import.meta.dirname, "../../cli/main.ts");

type Flags = { readonly machines: number; readonly runs: number; readonly json: boolean; readonly profile: string | null };
type Run = { readonly wallMs: number; readonly rssMb: number; readonly cpuMs: number };
type Result = Run & { readonly machines: number };

/** `npm run -s bench -- plan --machines 1000 --json`: `mooring plan` over a pull request on a fleet of that size, a new process each time. */
export async function measurePlan(words: readonly string[]): Promise<void> {
  const flags = flagsOf(words);
  const dir = mkdtempSync(join(tmpdir(), "bp-"));
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  try {
    process.stderr.write(`a fleet of ${flags.machines} machines …\n`);
    const { base, head } = genFleet({ dir: join(dir, "fleet"), machines: flags.machines });
    const args = [MAIN, "plan", "--repo", join(dir, "fleet"), "--base", base, "--head", head];
    const env = { PATH: process.env["PATH"], HOME: dir, XDG_CACHE_HOME: join(dir, "cache") };
    process.stderr.write(`${flags.runs} cold processes …\n`);
    const runs: Run[] = [];
    await runOnce(args, env, flags.profile, stop.signal); // fills the disk cache, as the checkout before it would
    for (let i = 0; i < flags.runs; i++) runs.push(await runOnce(args, env, null, stop.signal));
    const of = (pick: (run: Run) => number): number => rounded(median(runs.map(pick)));
    const result = {
      machines: flags.machines,
      wallMs: of((run) => run.wallMs),
      rssMb: of((run) => run.rssMb),
      cpuMs: of((run) => run.cpuMs),
    };
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : tableOf(result, flags.runs));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** From the start of the process to its end; memory is the most that the kernel saw (`ru_maxrss`). Fails unless it finds changes (exit code 2). */
async function runOnce(args: readonly string[], env: NodeJS.ProcessEnv, profile: string | null, signal: AbortSignal): Promise<Run> {
  const tell = join(import.meta.dirname, "tell.ts");
  const flags = profile === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const start = performance.now();
  const child = spawn(process.execPath, [...flags, "--import", tell, ...args], {
    env,
    signal,
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  let told = { maxRssKb: 0, cpuMs: 0 };
  child.on("message", (message) => (told = message as typeof told));
  child.stdout?.resume();
  const [code] = (await once(child, "close")) as [number | null];
  const wallMs = performance.now() - start;
  if (code !== 2) throw new Error(`mooring plan ended with ${code}`);
  return { wallMs, rssMb: told.maxRssKb / 1024, cpuMs: told.cpuMs };
}

function tableOf({ machines, wallMs, rssMb, cpuMs }: Result, runs: number): string {
  const below = machines <= 1000 ? 1500 : machines <= 10_000 ? 8000 : null;
  const verdict = below === null ? "" : `  ${wallMs < below ? "within" : "OVER"} the budget of < ${below} ms`;
  const on = `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, load ${loadavg()
    .map((load) => load.toFixed(2))
    .join(" ")}, Node ${process.version}`;
  return `plan, ${machines} machines, median of ${runs} cold processes\n  wall  ${wallMs} ms${verdict}\n  CPU   ${cpuMs} ms\n  RSS   ${rssMb} MB\nOn ${on}.\n`;
}

function flagsOf(words: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...words],
    options: {
      machines: { type: "string", default: "1000" },
      runs: { type: "string", default: "7" },
      "cpu-prof": { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  return {
    machines: Number(values.machines),
    runs: Math.max(5, Number(values.runs)),
    json: values.json,
    profile: values["cpu-prof"] ?? null,
  };
}
