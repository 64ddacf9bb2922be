import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { canon, fromBase64 } from "#base/canonical/index.ts";
import { layoutOf } from "#lobster/init/index.ts";
import { processTable } from "#lobster/run/processes.ts";
import type { AgentStatus, ApplyPhase, MachineId, MachineStatement, Pins } from "#schemas/wire/index.ts";
import { FleetFixture } from "#test/support/fleet-fixture.ts";
import { TestAgent } from "#test/lobster/support.ts";
import { buildOutputs } from "../../scripts/build.ts";
import { isRoot } from "./support.ts";

const REPO = join(import.meta.dirname, "../..");
const first = randomInt(100_000, 900_000) * 1_000;
const uidWords = isRoot ? ["--uids", String(first)] : ["--insecure-one-uid"];
const noUidWords = isRoot ? [] : ["--insecure-one-uid"];

let dist: string;
let fleet: FleetFixture;
let mini: TestAgent;
let served: ChildProcess;
const root = mkdtempSync(join(tmpdir(), "sv-"));

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

function cli(...words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(dist, "openclaw-lobster.mjs"), ...words], (err, stdout, stderr) => {
      resolve({ code: typeof err?.code === "number" ? err.code : 0, stdout, stderr });
    });
  });
}

async function startServe(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(dist, "openclaw-lobster.mjs"), "serve", "--root", root, ...noUidWords], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes("agent serves")) continue;
    child.stdout.resume();
    return child;
  }
  throw new Error("serve ended");
}

async function ended(id: string): Promise<ApplyPhase> {
  for (;;) {
    const phase = await mini.get<ApplyPhase>(`/v1/applies/${id}`);
    if (phase.at === "done" || phase.at === "undone") return phase;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

before(async () => {
  dist = join(REPO, "dist", `test-${process.pid}`);
  await buildOutputs(dist);
  fleet = new FleetFixture();
  const pins: Pins = {
    v: 1,
    fleet: fleet.fleet,
    machine: "mini-01" as MachineId,
    incarnation: 1,
    trust: fleet.pin,
    driver: "software",
    allowSoftwareKeys: true,
  };
  writeFileSync(join(fleet.dir, "pins.json"), canon(pins));
  const init = await cli("init", "--root", root, "--pins", join(fleet.dir, "pins.json"), ...uidWords);
  assert.equal(init.code, 0, init.stderr);
  const again = await cli("init", "--root", root, "--pins", join(fleet.dir, "pins.json"), ...uidWords);
  const bytesOf = (one: Ended): string => (JSON.parse(one.stdout) as { readonly bytes: string }).bytes;
  assert.equal(bytesOf(again), bytesOf(init), "init a second time keeps the keys");
  fleet.addMachine(JSON.parse(new TextDecoder().decode(fromBase64(bytesOf(init), "statement"))) as MachineStatement);
  mini = new TestAgent(layoutOf(root), pins);
  served = await startServe();
});

after(async () => {
  served.kill("SIGTERM");
  await once(served, "exit");
  for (const folder of [root, dist]) rmSync(folder, { recursive: true });
  fleet.close();
});

test("the built agent takes a release and runs its plugin under a uid of its own", async () => {
  const job = await fleet.plugin("job", 1, {
    "main.js": `process.on("SIGTERM", () => { console.error("bye"); setTimeout(() => process.exit(5), 50); });
console.log("uid " + process.getuid());
setInterval(() => {}, 1e6);\n`,
  });
  fleet.put("mini-01", job.section);
  fleet.release();
  const { id, status, text } = await mini.apply(fleet);
  assert.equal(status, 202, text);
  assert.equal((await mini.sendPack(fleet, job)).status, 201);
  assert.deepEqual(await ended(id), { at: "done", generation: 1 });
  const [plugin] = (await mini.get<AgentStatus>("/v1/status")).plugins;
  assert.equal(plugin?.state, "running");
  const uids = processTable().find((one) => one.pid === plugin.pid)?.uids;
  assert.ok(uids?.every((uid) => uid === (isRoot ? first + 10 : process.getuid?.())));
  const status2 = await cli("status", "--root", root);
  assert.match(status2.stdout, /^job +\S+ +running +healthy/m);
  assert.deepEqual(JSON.parse((await cli("status", "--root", root, "--json")).stdout).plugins[0].pid, plugin.pid);
});

test("run follows the log, forwards a signal and ends with the plugin's own code", async () => {
  const child = spawn(process.execPath, [join(dist, "openclaw-lobster.mjs"), "run", "--root", root, "--plugin-id", "job"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  for await (const line of createInterface({ input: child.stdout })) {
    assert.match(line, /^uid \d+$/);
    break;
  }
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 5);
  assert.match(stderr, /bye/);
  assert.equal((await mini.get<AgentStatus>("/v1/status")).plugins[0]?.state, "stopped");
});

test("run --detach starts a stopped plugin and returns; an unknown one is refused", async () => {
  assert.deepEqual(await cli("run", "--root", root, "--plugin-id", "job", "--detach"), { code: 0, stdout: "", stderr: "" });
  assert.equal((await mini.get<AgentStatus>("/v1/status")).plugins[0]?.state, "running");
  const unknown = await cli("run", "--root", root, "--plugin-id", "nobody");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^PLUGIN_UNKNOWN/);
});

test("the launcher and stdio join a channel to the agent's socket, whatever SSH_ORIGINAL_COMMAND says", async () => {
  const hello = "GET /v1/hello HTTP/1.1\r\nHost: a\r\nMooring-Wire: 1\r\nConnection: close\r\n\r\n";
  for (const [program, words] of [
    [join(root, "bin/openclaw-lobster-stdio"), []],
    [process.execPath, [join(dist, "openclaw-lobster.mjs"), "stdio", "--root", root]],
  ] as const) {
    const answer = execFileSync(program, words, {
      input: hello,
      env: { PATH: "/usr/bin:/bin", SSH_ORIGINAL_COMMAND: "id" },
      encoding: "utf8",
    });
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /"machine":"mini-01"/);
  }
});

test("bridge, egress and agent have uids of their own, and nobody else opens the keys", { skip: isRoot ? false : "needs root" }, () => {
  const children = processTable().filter(
    (one) => one.group === processTable().find((two) => two.pid === served.pid)?.group && one.pid !== served.pid,
  );
  const uids = new Set(children.flatMap((one) => one.uids));
  assert.ok(uids.has(first) && uids.has(first + 1));
  assert.deepEqual([statSync(join(root, "bridge")).uid, statSync(join(root, "bridge")).mode & 0o777], [first, 0o700]);
  assert.equal(statSync(join(root, "run/agent.sock")).gid, first + 2);
});

test("verify says whole, and names the path that is not, without the agent", async () => {
  const whole = await cli("verify", "--root", root, ...noUidWords);
  assert.deepEqual([whole.code, whole.stderr], [0, ""], whole.stdout);
  assert.match(whole.stdout, /^generation 1: whole; audit log: \d+ entries, whole$/m);
  served.kill("SIGTERM");
  await once(served, "exit");
  appendFileSync(join(root, "generations/current/plugins/job/main.js"), "// more\n");
  const changed = await cli("verify", "--root", root, ...noUidWords);
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, /plugin\/job: main\.js changed/);
  const log = join(root, "bridge/log/checkpoint");
  const good = readFileSync(log, "utf8");
  writeFileSync(log, good.replace(/^\d+$/m, "7"));
  assert.match((await cli("verify", "--root", root, ...noUidWords)).stdout, /AUDIT_CORRUPT/);
  assert.ok(!existsSync(join(root, "run/agent.sock")));
  writeFileSync(log, good);
  served = await startServe();
  assert.ok(!readFileSync(join(root, "generations/current/plugins/job/main.js"), "utf8").includes("// more"));
});
