import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApplyPhase, Hello, LiveAnswer } from "#schemas/wire/index.ts";
import { FleetFixture, type FixturePlugin } from "#test/support/fleet-fixture.ts";
import { askSocket, TestAgent } from "./support.ts";

const ENTRY = join(import.meta.dirname, "fault-agent.ts");
/** MOORING_FAULTS=all dies at every step; else at every one of a spread that covers the whole apply. */
const STRIDE = process.env["MOORING_FAULTS"] === "all" ? 1 : 13;
const NAME = "mini-01";
/** Ends by itself when its agent was killed before it could note the run, so that the test leaves no process behind. */
const MAIN = "const parent = process.ppid;\nsetInterval(() => process.ppid === parent || process.exit(0), 50);\n";

let fleet: FleetFixture;
let base: string;
let before1: string;
let next: FixturePlugin;

before(async () => {
  fleet = new FleetFixture();
  const mini = await TestAgent.make(fleet, NAME);
  const first = await fleet.plugin("greeter", 1, { "main.js": MAIN });
  fleet.put(NAME, first.section);
  fleet.release();
  assert.equal((await mini.converge(fleet, first)).at, "done");
  before1 = fleet.rootOf(NAME);
  await mini.stop();
  base = mini.layout.root;
  next = await fleet.plugin("greeter", 2, { "main.js": `${MAIN}// two\n`, "lib/a.js": "export {};\n" });
  fleet.put(NAME, next.section);
  fleet.release();
});
after(() => {
  rmSync(base, { recursive: true, force: true });
  fleet.close();
});

type Run = { readonly child: ChildProcess; readonly gone: Promise<unknown>; readonly isServing: boolean };

async function start(root: string, env: Readonly<Record<string, string>>): Promise<Run> {
  const child = spawn(process.execPath, [ENTRY, root, join(fleet.dir, "pins", `${NAME}.json`)], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...env },
  });
  const gone = once(child, "exit");
  const serving = new Promise<boolean>((resolve) => {
    child.stdout?.once("data", () => resolve(true));
    child.once("exit", () => resolve(false));
  });
  return { child, gone, isServing: await serving };
}

async function end({ child, gone }: Run): Promise<void> {
  child.kill("SIGTERM");
  await gone;
}

function get<T>(root: string, path: string): Promise<T> {
  return askSocket(join(root, "run/agent.sock"), path, {}).then((reply) => reply.json as T);
}

/** Sends the release and its pack as the hub would; null when the agent died on the way. */
async function drive(root: string): Promise<ApplyPhase | null> {
  const sock = join(root, "run/agent.sock");
  try {
    const hello = await get<Hello>(root, "/v1/hello");
    if (hello.root === fleet.rootOf(NAME)) return { at: "done", generation: hello.generation };
    const { id, body } = fleet.applyFor(NAME, { epoch: 1, ifRoot: hello.root, ifGeneration: hello.generation });
    await askSocket(sock, `/v1/applies/${id}`, { method: "PUT", body, epoch: 1 });
    const { digest, bytes } = fleet.packFor(NAME, next);
    await askSocket(sock, `/v1/packs/${digest}`, { method: "PUT", bytes, epoch: 1, headers: { "upload-offset": "0" } });
    for (;;) {
      const phase = await get<ApplyPhase>(root, `/v1/applies/${id}`);
      if (phase.at === "done" || phase.at === "undone") return phase;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } catch (err) {
    if (err instanceof Error && ["ECONNRESET", "ECONNREFUSED", "ENOENT", "EPIPE"].includes((err as NodeJS.ErrnoException).code ?? ""))
      return null;
    throw err;
  }
}

function copy(): string {
  const root = mkdtempSync(join(tmpdir(), "ft-"));
  cpSync(base, root, { recursive: true, verbatimSymlinks: true });
  return root;
}

/** Starts the same machine again without faults and finds one whole generation, then goes on to the release. */
async function recovers(root: string, step: number): Promise<void> {
  const run = await start(root, {});
  assert.ok(run.isServing, `the agent comes up after dying at step ${step}`);
  const live = await get<LiveAnswer>(root, "/v1/live?fresh=hash");
  assert.deepEqual(live.drifted, {}, `nothing is half written after dying at step ${step}`);
  assert.ok([before1, fleet.rootOf(NAME)].includes(live.root), `one generation or the other after dying at step ${step}`);
  const phase = await drive(root);
  assert.equal(phase?.at, "done", `the apply goes on after dying at step ${step}`);
  assert.equal((await get<LiveAnswer>(root, "/v1/live?fresh=hash")).root, fleet.rootOf(NAME));
  await end(run);
  assert.deepEqual(processesOf(root), [], `a plugin outlived the agents after dying at step ${step}`);
}

/** Processes that run something under `root`. */
function processesOf(root: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${root}/generations/`);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

test("kill -9 at any durable step leaves generation N-1 or N, whole and able to go on", async () => {
  const traced = copy();
  const trace = join(traced, "trace");
  const run = await start(traced, { MOORING_FAULT_TRACE: trace });
  assert.equal((await drive(traced))?.at, "done");
  await end(run);
  const steps = readFileSync(trace, "utf8").trim().split("\n").length;
  rmSync(traced, { recursive: true, force: true });
  assert.ok(steps > 40, `${steps} steps`);
  for (let step = 1; step <= steps; step += STRIDE) {
    const root = copy();
    const run = await start(root, { MOORING_FAULT_AT: String(step) });
    if (run.isServing && (await drive(root)) !== null && existsSync(root)) run.child.kill("SIGKILL"); // the last steps come after the answer
    await run.gone;
    await recovers(root, step);
    rmSync(root, { recursive: true, force: true });
  }
});
