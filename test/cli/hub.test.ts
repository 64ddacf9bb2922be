/** The command line against a hub's socket: what it prints of answers, and what it makes of bad ones. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#base/canonical/index.ts";
import { timeOf } from "#base/time/index.ts";
import { getMachines, getPlugins, type Output, reconcile, status } from "#cli/hub/index.ts";
import { answerText } from "#cli/revoke.ts";
import type { HubStatus, MachineId, MachineStatus, StatementAnswer } from "#schemas/wire/index.ts";

const NOW = Date.parse("2026-11-25T10:00:00.000Z");
const folder = mkdtempSync(join(tmpdir(), "hub-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

/** A socket that answers every request the same. */
async function answering(t: { after(fn: () => void): void }, code: number, body: unknown): Promise<string> {
  const socket = join(folder, `${++count}.sock`);
  const server: Server = createServer((req, res) => {
    req.resume();
    res.writeHead(code, { "content-type": "application/json" }).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  return socket;
}

async function textOf(work: (out: { write(text: string): unknown }) => Promise<number>): Promise<string> {
  let text = "";
  assert.equal(await work({ write: (part) => (text += part) }), 0);
  return text;
}

function machine(name: string, more: Partial<MachineStatus> = {}): MachineStatus {
  return {
    name: name as MachineId,
    reachable: true,
    mode: "manage",
    conditions: [{ type: "Ready", status: "True", reason: "Succeeded", message: "", observedGeneration: 4, since: timeOf(NOW) }],
    generation: 4,
    observedGeneration: 4,
    root: digestOf("root"),
    desiredRoot: digestOf("root"),
    inSync: true,
    lastAppliedRevision: "1a2b3c4d".repeat(5),
    lastAttemptedRevision: null,
    release: 8,
    lease: { until: "2026-11-26T21:10:00.000Z" },
    plugins: [],
    error: null,
    lastSeen: timeOf(NOW - 4000),
    ...more,
  };
}

const AWAY = machine("mini-02", {
  reachable: false,
  inSync: false,
  conditions: [],
  error: { code: "SSH_UNREACHABLE", message: "mini-02:22 \u001b[31mred", disposition: "retry" },
  lastSeen: null,
  release: null,
});

const STATUS: HubStatus = {
  fleet: "acme",
  hub: { version: "0.1.0", uid: 501, startedAt: timeOf(NOW - 7_200_000), nativeCrypto: true },
  source: {
    url: "https://git.example.net/fleet.git",
    head: "9f8e7d6c".repeat(5),
    target: "1a2b3c4d".repeat(5),
    lastVerified: null,
    checkedAt: timeOf(NOW - 12_000),
    error: { code: "SOURCE_UNREACHABLE", message: "git.example.net", why: "no route", fix: "check the network", disposition: "retry" },
  },
  release: {
    serial: 8,
    expires: timeOf(NOW + 90 * 86_400_000),
    digest: digestOf("release"),
    warning: {
      code: "RELEASE_AGEING",
      message: "release 8, issued 2026-09-01, runs out on 2026-11-30",
      why: "three quarters of its lifetime are over",
      fix: "people with role release run `mooring release --renew`",
      disposition: "wait",
    },
  },
  awaiting: {
    revision: "9f8e7d6c".repeat(5),
    missing: [{ role: "access", classes: ["access"], have: [], need: 1, principals: ["security@acme.dev"] }],
  },
  refused: {
    revision: "9f8e7d6c".repeat(5),
    findings: [{ file: "plugins/x.yaml", line: 3, col: 5, code: "FLEET_FIELD_UNKNOWN", message: "unknown field", fix: "remove it" }],
  },
  trusts: {
    release: { by: "hub", principals: ["hub"], threshold: 1 },
    secrets: { by: "ci", principals: ["acme/fleet/.github/workflows/release.yml@refs/heads/main"], threshold: 1 },
    access: { by: "people", principals: ["a@acme.dev", "b@acme.dev"], threshold: 2, touch: "required" },
  },
  machines: [machine("mini-01"), AWAY],
};

test("status says what runs, what waits for whom, what is refused and why, and whom each class trusts", async (t) => {
  const hub = await answering(t, 200, STATUS);
  assert.equal(
    await textOf((out) => status({ hub, output: "text" }, out, NOW)),
    `fleet    acme: release 8, until 2027-02-23
source   https://git.example.net/fleet.git, looked at 12s ago
main     9f8e7d6c; 1a2b3c4d runs
hub      0.1.0, uid 501, up 2h

SOURCE_UNREACHABLE: git.example.net
  why: no route
  fix: check the network

RELEASE_AGEING: release 8, issued 2026-09-01, runs out on 2026-11-30
  why: three quarters of its lifetime are over
  fix: people with role release run \`mooring release --renew\`

AwaitingRelease: commit 9f8e7d6c9f8e
  ROLE    WHO                             FOR     SIGNED
  access  1 of security@acme.dev (touch)  access  -

refused: commit 9f8e7d6c9f8e; what ran before goes on running
  plugins/x.yaml:3:5 FLEET_FIELD_UNKNOWN unknown field
    fix: remove it

trust    release: hub · secrets: ci acme/fleet/.github/workflows/release.yml@refs/heads/main · access: 2 of a@acme.dev, b@acme.dev (touch)

NAME     READY    STATUS           SYNC         RELEASE  GENERATION  SEEN
mini-01  True     Succeeded        in sync      8        4           4s
mini-02  Unknown  SSH_UNREACHABLE  unreachable  -        4           -
1 of 2 ready

mini-02:
  SSH_UNREACHABLE: mini-02:22 ?[31mred
`,
  );
  assert.deepEqual(JSON.parse(await textOf((out) => status({ hub, output: "json" }, out, NOW))), STATUS);
});

test("get machines and plugins as tables, wide, names and JSON; control characters never reach the terminal", async (t) => {
  const machines = await answering(t, 200, { items: STATUS.machines });
  const get = (output: Output): Promise<string> => textOf((out) => getMachines({ hub: machines, output }, out, NOW));
  assert.equal(await get("name"), "machine/mini-01\nmachine/mini-02\n");
  assert.match(await get("wide"), /^mini-01 .* manage {2}2026-11-26T21:10:00\.000Z {2}1a2b3c4d {2}sha256:/m);
  assert.match(await get("wide"), /mini-02:22 \?\[31mred/);
  assert.deepEqual(JSON.parse(await get("json")), { items: STATUS.machines });

  const row = { id: "greeter", version: "1.0.0", state: "running", pid: 77, runSeq: 1, restarts: 2, health: "healthy", since: timeOf(NOW) };
  const plugins = await answering(t, 200, { items: [{ machine: "mini-01", ...row, lastExit: { runSeq: 0, code: 1, signal: null } }] });
  const getThem = (output: Output): Promise<string> => textOf((out) => getPlugins({ hub: plugins, output }, out, NOW));
  assert.equal(await getThem("name"), "plugin/mini-01/greeter\n");
  assert.equal(
    await getThem("wide"),
    `MACHINE  PLUGIN   VERSION  STATE    HEALTH   RESTARTS  AGE  PID  LAST EXIT
mini-01  greeter  1.0.0    running  healthy  2         0s   77   code 1
`,
  );
});

test("what is wrong with the hub is said by its code", async (t) => {
  const get = (hub: string) => getMachines({ hub, output: "table" }, { write: () => undefined }, NOW);
  await assert.rejects(get(join(folder, "nobody.sock")), { code: "HUB_UNREACHABLE" });
  await assert.rejects(get(await answering(t, 200, "<html>")), { code: "HUB_ANSWER_MALFORMED" });
  await assert.rejects(get(await answering(t, 200, { items: [{}] })), { code: "HUB_ANSWER_MALFORMED" });
  await assert.rejects(get(await answering(t, 500, { code: "NO_SUCH_CODE" })), { code: "HUB_ANSWER_MALFORMED" });
  const problem = { code: "MACHINE_UNKNOWN", message: "mini-99", fix: "look", disposition: "refused" };
  await assert.rejects(reconcile({ hub: await answering(t, 422, problem), machines: ["mini-99"] }, { write: () => undefined }), {
    code: "MACHINE_UNKNOWN",
  });
  assert.match(await textOf(async (out) => reconcile({ hub: await answering(t, 202, {}), machines: [] }, out)), /all machines/);
});

test("a revocation says where it holds and until when it does not", () => {
  const answer: StatementAnswer = {
    digest: digestOf("x"),
    vault: "accepted",
    machines: [
      { name: "mini-01" as MachineId, outcome: "accepted" },
      { name: "mini-02" as MachineId, outcome: "offline" },
    ],
  };
  assert.equal(answerText(answer, [AWAY], timeOf(NOW)), "refused on 1/2; mini-02 offline: lease ends 2026-11-26T21:10:00.000Z\n");
  assert.equal(
    answerText({ ...answer, vault: "VAULT_UNREACHABLE" }, [], timeOf(NOW)),
    "refused on 1/2; mini-02 offline; vault: VAULT_UNREACHABLE\n",
  );
});
