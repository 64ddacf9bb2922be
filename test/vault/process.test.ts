import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { vaultClient } from "#reconciler/secrets/index.ts";
import { parseCheckpoint } from "#proof/tlog/index.ts";
import type { Envelope, SealRequest } from "#schemas/wire/index.ts";
import { openEnvelope, verifyEnvelope } from "#seal/envelope/index.ts";
import { LOCKED, SODIUM_CHACHA } from "#bridge/memory.ts";
import { ageFile, SignedFleet, type TestMachine } from "./fleet.ts";

const MAIN = fileURLToPath(new URL("../../enclave-bridge/vault/main.ts", import.meta.url));
const UID = process.getuid?.() ?? 0;
const REF = "secret://team/imap";
const VALUE = "canary-7f0c2b9e5d";
const run = promisify(execFile);

let dir = "";
let socket = "";
let vault: ChildProcess;
let fleet: SignedFleet;
let mini: TestMachine;
let file: Uint8Array;
let made: { recipient: string; key: string; allowedSigners: string };

/** The launcher's line: no core dumps, no inspector. */
const LAUNCH = ["-c", 'ulimit -c 0; exec "$@"', "sh", process.execPath, "--disable-sigusr1"];

function start(args: readonly string[], launch: readonly string[] = LAUNCH, env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn("sh", [...launch, MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], ...env } });
}

/** Starts the vault of `dir` and waits until it listens. */
async function serve(env: Readonly<Record<string, string>> = {}): Promise<void> {
  vault = start(["serve", "--dir", join(dir, "v"), "--socket", socket], LAUNCH, env);
  await Promise.race([
    once(vault.stdout as NonNullable<typeof vault.stdout>, "data"),
    once(vault, "exit").then(() => Promise.reject(new Error("the vault ended"))),
  ]);
}

async function stop(signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(vault, "exit");
  vault.kill(signal);
  return (await ended)[0] as number | null;
}

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "mvp-"));
  socket = join(dir, "v.sock");
  const pinned = new SignedFleet(Date.now());
  const init = await run("sh", [
    ...LAUNCH,
    MAIN,
    "init",
    "--dir",
    join(dir, "v"),
    "--fleet",
    "acme",
    "--trust-root",
    pinned.trust.leaf,
    "--insecure-plain-keys",
  ]);
  made = JSON.parse(init.stdout) as typeof made;
  fleet = pinned;
  file = await ageFile(made.recipient, REF, 1, VALUE);
  mini = fleet.machine("mini-01").addPlugin("mail").addGrant("mail", "team/imap").addSecret("team/imap", 1, file);
  fleet.release();
  await serve();
});

after(async () => {
  if (vault.exitCode === null && vault.signalCode === null) await stop("SIGKILL");
  await rm(dir, { recursive: true });
});

const client = () => vaultClient({ socket, uid: UID, insecureOneUid: true });

test("init says what to commit, and leaves keys that only the vault's user reads", async () => {
  assert.match(made.recipient, /^age1[a-z0-9]{58}$/);
  assert.equal(made.allowedSigners, `vault namespaces="mooring-secrets" ${made.key}`);
  for (const name of ["age.key", "sign.key"]) assert.equal((await stat(join(dir, "v", name))).mode & 0o777, 0o600);
  assert.equal((await stat(socket)).mode & 0o777, 0o660);
});

test("the hub's client gets envelopes that open on the machine, over restarts", async () => {
  const info = await client().info();
  assert.deepEqual([info.uid, info.recipient, info.key, info.origin], [UID, made.recipient, made.key, "mooring/acme/vault"]);
  const keys = [{ key: made.key, from: 1, until: null }];
  for (const serial of [1, 2, 3]) {
    const { envelopes, refused } = await client().seal(fleet.request(mini, [file]));
    assert.deepEqual(refused, []);
    const envelope = envelopes[0]?.envelope;
    assert.ok(envelope !== undefined);
    assert.equal(verifyEnvelope(envelope, keys, 1).bindingSerial, serial);
    const clear = await openEnvelope(envelope, mini.ecdh, mini.point, LOCKED, SODIUM_CHACHA);
    assert.equal(await clear.reveal((bytes) => bytes.toString()), VALUE);
    if (serial === 1) assert.equal(await stop("SIGTERM"), 0);
    if (serial === 2) await stop("SIGKILL"); // its socket stays behind
    if (serial < 3) await serve();
  }
});

test("the vault's log is served to whoever watches it", async () => {
  const { origin, treeSize } = await client().info();
  const note = Buffer.from(await client().audit("checkpoint"));
  assert.ok(note.toString().startsWith(`${origin}\n${treeSize}\n`));
  assert.ok(parseCheckpoint(note.toString().split("\n\n")[0] + "\n") !== null);
  const entries = Buffer.from(await client().audit(`tile/entries/000.p/${treeSize}`)).toString();
  assert.ok(entries.includes('"op":"vault.seal"') && entries.includes(REF));
  assert.ok(!entries.includes(VALUE));
  await assert.rejects(client().audit("tile/../../sign.key"), { code: "TLOG_MALFORMED" });
  await assert.rejects(client().audit("tile/entries/999"), { code: "VAULT_REQUEST_MALFORMED" });
});

test("lease and revocation go over the socket, errors keep their code", async () => {
  const { files: _files, ...shown } = fleet.request(mini, []);
  const lease = await client().lease(shown);
  assert.ok(lease.sig.length > 0);
  await assert.rejects(client().addStatement(fleet.revoke("secret", "team/imap", fleet.alice)), { code: "STATEMENT_UNPROVEN" });
  const signed = fleet.revoke("secret", "team/imap");
  const digest = await client().addStatement(signed);
  assert.equal(await client().addStatement(signed), digest);
  assert.deepEqual(
    (await client().seal(fleet.request(mini, [file]))).refused.map(({ code }) => code),
    ["SECRET_REVOKED"],
  );
  fleet.release({ lifts: [digest] });
  assert.equal((await client().seal(fleet.request(mini, [file]))).envelopes.length, 1);
});

/** Status and code of a raw request, or "cut" when the vault hung up. */
function raw(method: string, path: string, body: string | null, headers: Record<string, string | number> = {}): Promise<string> {
  return new Promise((resolve) => {
    const req = request({ socketPath: socket, method, path, headers, agent: false }, (res) => {
      let text = "";
      res.on("data", (part: Buffer) => (text += part.toString()));
      res.on("close", () => resolve(`${res.statusCode} ${(JSON.parse(text) as { code: string }).code}`));
    });
    req.on("error", () => resolve("cut"));
    req.end(body);
  });
}

test("requests of another form are refused and change nothing", async () => {
  const good = fleet.request(mini, [file]);
  const bad: readonly (readonly [string, string, unknown])[] = [
    ["POST", "/v1/seal", "no object"],
    ["POST", "/v1/seal", { ...good, extra: 1 }],
    ["POST", "/v1/seal", { ...good, machine: "../evil" }],
    ["POST", "/v1/seal", { ...good, desired: "***" }],
    ["POST", "/v1/lease", good],
    ["PUT", "/v1/statements", { bytes: "" }],
  ];
  for (const [method, path, body] of bad) assert.equal(await raw(method, path, JSON.stringify(body)), "400 VAULT_REQUEST_MALFORMED", path);
  assert.equal(await raw("POST", "/v1/seal", "{"), "400 VAULT_REQUEST_MALFORMED");
  assert.equal(await raw("DELETE", "/v1/info", null), "404 VAULT_REQUEST_MALFORMED");
  assert.equal(await raw("POST", "/v1/seal", null, { "content-length": 9_000_000 }), "413 VAULT_REQUEST_TOO_LARGE");
  assert.equal((await client().info()).uid, UID);
});

test("a vault under the hub's own uid is refused unless somebody opted in", async () => {
  const strict = vaultClient({ socket, uid: UID, insecureOneUid: false });
  await assert.rejects(strict.info(), { code: "VAULT_NOT_ISOLATED" });
  await assert.rejects(strict.seal(fleet.request(mini, [file])), { code: "VAULT_NOT_ISOLATED" });
  assert.equal((await vaultClient({ socket, uid: UID + 1, insecureOneUid: false }).info()).uid, UID);
});

test("a vault that is away, hangs up or answers nonsense has a code each", async () => {
  const path = join(dir, "x.sock");
  const at = () => vaultClient({ socket: path, uid: UID, insecureOneUid: true }).info();
  await assert.rejects(at(), { code: "VAULT_UNREACHABLE" });
  const rude = createNetServer((peer) => peer.resume().end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"));
  await new Promise<void>((resolve) => rude.listen(path, resolve));
  await assert.rejects(at(), { code: "VAULT_UNREACHABLE" });
  await new Promise((resolve) => rude.close(resolve));
  for (const [status, body] of [
    [200, "{}"],
    [200, "nonsense"],
    [500, "nonsense"],
    [422, '{"code":"NO_SUCH_CODE","message":"x","disposition":"refused"}'],
  ] as const) {
    const odd = createServer((_req, res) => res.writeHead(status, { connection: "close" }).end(body));
    await new Promise<void>((resolve) => odd.listen(path, resolve));
    await assert.rejects(at(), { code: "VAULT_ANSWER_MALFORMED" }, body);
    await new Promise((resolve) => odd.close(resolve));
  }
});

test("a second vault does not take the socket of a living one, nor a file's place", async () => {
  const second = start(["serve", "--dir", join(dir, "v"), "--socket", socket]);
  assert.match(await failure(second), /^VAULT_EXISTS/);
  const taken = join(dir, "file");
  await writeFile(taken, "");
  assert.match(await failure(start(["serve", "--dir", join(dir, "v"), "--socket", join(dir, "z.sock")])), /^VAULT_EXISTS/);
  assert.equal((await client().seal(fleet.request(mini, [file]))).envelopes.length, 1);
  await stop("SIGTERM");
  assert.match(await failure(start(["serve", "--dir", join(dir, "v"), "--socket", taken])), /VAULT_EXISTS.*not a socket/);
  await serve();
});

async function failure(child: ChildProcess): Promise<string> {
  let text = "";
  child.stderr?.on("data", (part: Buffer) => (text += part.toString()));
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 1);
  return text;
}

test("the vault does not start with a debugger's door or a core dump open, nor without its opt-in", async () => {
  const serve = ["serve", "--dir", join(dir, "v"), "--socket", join(dir, "y.sock")];
  const launch = (flags: string, ulimit = "ulimit -c 0;") => ["-c", `${ulimit} exec "$0" ${flags} "$@"`, process.execPath];
  assert.match(await failure(start(serve, launch(""))), /^VAULT_EXPOSED/);
  assert.match(await failure(start(serve, launch("--disable-sigusr1 --inspect=127.0.0.1:0"))), /VAULT_EXPOSED/);
  const init = ["init", "--dir", join(dir, "w"), "--fleet", "acme", "--trust-root", fleet.trust.leaf];
  assert.match(await failure(start(init)), /^NOT_YET.*wrapped/);
  assert.match(await failure(start(["serve"])), /^USAGE/);
  assert.match(await failure(start(["dance"])), /^USAGE/);
  await chmod(join(dir, "v", "age.key"), 0o644);
  assert.match(await failure(start(serve)), /^VAULT_KEYS_BROKEN/);
  await chmod(join(dir, "v", "age.key"), 0o600);
});

test("killed at any durable step of a request, the vault comes back and its serials only grow", {
  skip: process.platform !== "linux",
}, async () => {
  const sealed = async (): Promise<number> => {
    const { envelopes } = await client().seal(fleet.request(mini, [file]));
    return verifyEnvelope((envelopes[0] as { envelope: Envelope }).envelope, [{ key: made.key, from: 1, until: null }], 1).bindingSerial;
  };
  const trace = join(dir, "trace");
  const steps = async (): Promise<number> => (await readFile(trace, "utf8").catch(() => "")).split("\n").length - 1;
  await stop("SIGTERM");
  await serve({ MOORING_FAULT_TRACE: trace });
  const before = await steps();
  let last = await sealed();
  const count = await steps();
  assert.ok(count > before, "a request has durable steps");
  await stop("SIGTERM");
  const stride = process.env["MOORING_ALL_FAULTS"] === undefined ? 4 : 1; // each costs a start of the process: all of them at night
  for (let n = before + 1; n <= count; n += stride) {
    await serve({ MOORING_FAULT_AT: String(n) });
    const ended = once(vault, "exit");
    await assert.rejects(sealed(), { code: "VAULT_UNREACHABLE" });
    assert.deepEqual(await ended, [null, "SIGKILL"]);
  }
  await serve();
  for (let i = 0; i < 2; i++) {
    const next = await sealed();
    assert.ok(next > last, `${next} after ${last}`);
    last = next;
  }
  const { treeSize } = await client().info();
  assert.ok(
    Buffer.from(await client().audit("checkpoint"))
      .toString()
      .includes(`\n${treeSize}\n`),
  );
});

/** How often the vault's memory holds `text`, in one byte or two bytes a character (Linux). The test knows the text, the vault only ever its ciphertext. */
async function countInMemory(pid: number, text: string): Promise<number> {
  const maps = (await readFile(`/proc/${pid}/maps`, "latin1"))
    .split("\n")
    .filter((line) => /^\S+ r/.test(line) && !/\[v(syscall|var|vdso)/.test(line));
  const mem = await open(`/proc/${pid}/mem`, "r");
  let count = 0;
  try {
    for (const line of maps) {
      const [from = 0, to = 0] = (line.split(" ")[0] ?? "").split("-").map((hex) => Number.parseInt(hex, 16));
      for (let at = from; at < to; at += 1 << 22) count += await hits(mem, at, Math.min(to - at, (1 << 22) + 64), text);
    }
  } finally {
    await mem.close();
  }
  return count;
}

async function hits(mem: Awaited<ReturnType<typeof open>>, at: number, size: number, text: string): Promise<number> {
  const chunk = Buffer.alloc(size);
  try {
    await mem.read(chunk, 0, size, at);
  } catch {
    return 0; // guard pages and device memory can't be read
  }
  return [Buffer.from(text, "latin1"), Buffer.from(text, "utf16le")].reduce((sum, needle) => sum + (chunk.includes(needle) ? 1 : 0), 0);
}

test("after sealing, the value is nowhere in the vault's memory", { skip: process.platform !== "linux" }, async () => {
  const sealAll: Promise<unknown>[] = Array.from({ length: 5 }, () => client().seal(fleet.request(mini, [file]) satisfies SealRequest));
  await Promise.all(sealAll);
  assert.ok((await countInMemory(vault.pid as number, "mooring/envelope/v1")) > 0, "the scan sees the memory");
  assert.equal(await countInMemory(vault.pid as number, VALUE), 0);
});
