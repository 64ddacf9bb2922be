import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { init, type InitOptions, type Surroundings } from "#cli/init/index.ts";
import { release } from "#cli/release/index.ts";
import { trustRoot } from "#cli/trust-root.ts";
import { validate } from "#cli/validate.ts";
import { newPerson } from "../support/fleet-fixture.ts";
import { git, GIT_ENV, makeBareRepo } from "../support/repo.ts";
import { type CliBench, selected, START } from "../cli/bench.ts";

const folder = mkdtempSync(join(tmpdir(), "init-"));
after(() => rmSync(folder, { recursive: true }));
const me = newPerson(folder, "a@acme.dev");
let count = 0;
const place = (): string => join(folder, `fleet-${++count}`);

function around(more: Partial<Surroundings> = {}): { readonly surroundings: Surroundings; readonly text: () => string } {
  let text = "";
  const surroundings = {
    ask: null,
    out: { write: (part: string) => (text += part) },
    sshFolder: join(folder, "none"),
    env: GIT_ENV,
    ...more,
  };
  return { surroundings, text: () => text };
}

function options(dir: string, more: Partial<InitOptions> = {}): InitOptions {
  return { dir, yes: true, merge: false, name: "acme", as: "a@acme.dev", key: me.keyFile, paper: `${dir}.paper`, ...more };
}

test("a new fleet validates, its policies' tests pass, and it is committed, signed and selected", async () => {
  const dir = place();
  const { surroundings, text } = around();
  assert.equal(await init(options(dir), surroundings), 0);
  const pin = /sha256:[0-9a-f]{64}/.exec(text())![0] as never;
  assert.match(text(), /mooring\/releases/);
  assert.equal(await validate(dir, { write: () => undefined }), 0);
  const ran = spawnSync(process.execPath, [join(import.meta.dirname, "../../cli/main.ts"), "policy", "test", dir], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);

  const run = (...args: string[]): Buffer => execFileSync("git", args, { cwd: dir, env: GIT_ENV });
  const gitdir = await makeBareRepo(folder, `fleet-${count}.git`);
  run("init", "--quiet", "--initial-branch=main");
  run("add", "--all");
  run("commit", "--quiet", "-m", "fleet acme");
  run("push", "--quiet", gitdir, "main");
  let signed = "";
  const io = { out: { write: (part: string) => (signed += part) }, ask: null };
  const how = {
    source: gitdir,
    cache: join(folder, "cache"),
    key: me.keyFile,
    as: "a@acme.dev",
    lifts: [],
    renew: false,
    yes: true,
    trustRoot: pin,
  };
  await release(how, io, { clock: () => START, random: () => 0.5 });
  assert.match(signed, /release 1 covers main: complete/);
  const hub = { folder, gitdir, now: START } as CliBench;
  const { revision, serial } = await selected(hub, pin);
  assert.deepEqual([revision, serial], [await git(gitdir, "rev-parse", "main"), 1]);
});

test("what goes to paper signs as recovery and opens what is sealed to the escrow, and is nowhere in the repo", async () => {
  const dir = place();
  await init(options(dir), around().surroundings);
  const paper = readFileSync(`${dir}.paper`, "utf8");
  assert.equal(statSync(`${dir}.paper`).mode & 0o777, 0o600);
  const pem = /-----BEGIN[^]+PRIVATE KEY-----\n/.exec(paper)![0];
  const identity = /AGE-SECRET-KEY-1\w+/.exec(paper)![0];

  const keyFile = join(folder, "typed-in");
  writeFileSync(keyFile, pem, { mode: 0o600 });
  const line = execFileSync("ssh-keygen", ["-y", "-f", keyFile], { encoding: "utf8" }).trim().split(" ").slice(0, 2).join(" ");
  assert.ok(readFileSync(join(dir, "trust/allowed_signers"), "utf8").includes(`\nrecovery ${line} `));
  writeFileSync(`${keyFile}.msg`, "x");
  execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-n", "mooring-release", "-f", keyFile, `${keyFile}.msg`]);

  const recipient = await identityToRecipient(identity);
  assert.ok(readFileSync(join(dir, "trust/recipients"), "utf8").includes(`\n${recipient}\n`));
  const [sealer, opener] = [new Encrypter(), new Decrypter()];
  sealer.addRecipient(recipient);
  opener.addIdentity(identity);
  assert.equal(await opener.decrypt(await sealer.encrypt("value"), "text"), "value");

  for (const path of readdirSync(dir, { recursive: true, encoding: "utf8" }))
    if (statSync(join(dir, path)).isFile()) assert.doesNotMatch(readFileSync(join(dir, path), "utf8"), /PRIVATE KEY|AGE-SECRET-KEY/, path);
});

test("keys for recovery may come from elsewhere, and then nothing is to be kept", async () => {
  const dir = place();
  const other = newPerson(folder, "vaulted");
  const { paper: _, ...rest } = options(dir, { recoveryKey: `${other.keyFile}.pub`, recoveryRecipient: `age1${"q".repeat(58)}` });
  const { surroundings, text } = around();
  await init(rest, surroundings);
  assert.ok(!text().includes("RECOVERY"));
  assert.ok(readFileSync(join(dir, "trust/allowed_signers"), "utf8").includes(`recovery ${other.key} `));
});

test("nothing is overwritten, and a folder that holds something needs --merge", async () => {
  const dir = place();
  mkdirSync(dir);
  writeFileSync(join(dir, "notes.txt"), "mine");
  await assert.rejects(init(options(dir), around().surroundings), { code: "INIT_FOLDER_TAKEN" });
  writeFileSync(join(dir, "fleet.yaml"), "mine");
  await assert.rejects(init(options(dir, { merge: true }), around().surroundings), {
    code: "INIT_FOLDER_TAKEN",
    message: join(dir, "fleet.yaml"),
  });
  assert.ok(!existsSync(`${dir}.paper`), "no keys were made for a repo that was not");
  assert.equal(readFileSync(join(dir, "fleet.yaml"), "utf8"), "mine");
  rmSync(join(dir, "fleet.yaml"));
  assert.equal(await init(options(dir, { merge: true }), around().surroundings), 0);
  assert.equal(readFileSync(join(dir, "notes.txt"), "utf8"), "mine");
  await assert.rejects(init(options(dir, { merge: true }), around().surroundings), { code: "INIT_FOLDER_TAKEN" });
});

test("without a terminal, keys that nobody would see are not made; paper never lies in the repo", async () => {
  const { paper: _, ...rest } = options(place());
  await assert.rejects(init(rest, around().surroundings), { code: "CONFIRMATION_NEEDED" });
  const dir = place();
  await assert.rejects(init(options(dir, { paper: join(dir, "keys.txt") }), around().surroundings), { code: "USAGE" });
  const { key: _key, ...keyless } = options(place());
  await assert.rejects(init(keyless, around().surroundings), { code: "INIT_KEY_MISSING" });
  await assert.rejects(init(options(place(), { as: "vault" }), around().surroundings), { code: "USAGE" });
  await assert.rejects(init(options(place(), { name: "Acme Inc" }), around().surroundings), { code: "USAGE" });
});

test("a person is asked, keys are offered hardware first, and what a hardware key can do is asked of it", async () => {
  const dir = place();
  const ssh = join(folder, "ssh");
  mkdirSync(ssh, { recursive: true });
  writeFileSync(join(ssh, "id_ed25519.pub"), `${me.key} laptop\n`);
  writeFileSync(join(ssh, "id_sk.pub"), `${hardwareKey()} token\n`);
  writeFileSync(join(ssh, "cert.pub"), "ssh-ed25519-cert-v01@openssh.com AAAA\n");
  const asked: string[] = [];
  const answers: Record<string, string> = {
    "Name of the fleet": "bravo",
    "Which one": "1",
    "Is it on paper? It is not shown again (yes)": "yes",
  };
  const ask = (question: string, preset: string): Promise<string> => (
    asked.push(question), Promise.resolve(answers[question] ?? (preset || "b@acme.dev"))
  );
  const { surroundings, text } = around({ ask, sshFolder: ssh });
  await init({ dir, yes: false, merge: false }, surroundings);
  assert.equal(asked.length, 5);
  assert.match(text(), /1 {2}sk-ssh-ed25519@openssh\.com \(hardware: touch\) {2}token .*id_sk\.pub\n {2}2 {2}ssh-ed25519 {2}laptop/);
  assert.match(text(), /RECOVERY OF THE FLEET bravo[^]+AGE-SECRET-KEY-1/);
  const fleet = readFileSync(join(dir, "fleet.yaml"), "utf8");
  assert.equal(fleet.match(/touch: required/g)?.length, 3); // all roles but root, which the key on paper can sign for too
  assert.match(readFileSync(join(dir, "trust/allowed_signers"), "utf8"), /token|mooring:touch=required/);
  assert.equal(await validate(dir, { write: () => undefined }), 0);
});

test("every document carries the modeline of its schema, and the schema is there", async () => {
  const dir = place();
  await init(options(dir), around().surroundings);
  for (const path of ["fleet.yaml", "policies/grants-expire.yaml"]) {
    const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(join(dir, path), "utf8"))![1]!;
    assert.ok(existsSync(join(dir, path, "..", schema)), path);
  }
  const settings = JSON.parse(readFileSync(join(dir, ".vscode/settings.json"), "utf8")) as { "yaml.schemas": Record<string, string[]> };
  assert.deepEqual(Object.keys(settings["yaml.schemas"]), ["./.mooring/schemas/index.json"]);
  assert.ok(existsSync(join(dir, ".mooring/schemas/index.json")));
});

test("the workflow is the one of examples/ci, with the trust root that the hub will compute", async () => {
  const dir = place();
  const { surroundings, text } = around();
  await init(options(dir), surroundings);
  const root = /Trust root {2}(sha256:[0-9a-f]{64})/.exec(text())![1]!;
  const example = readFileSync(join(import.meta.dirname, "../../examples/ci/github.yml"), "utf8");
  const workflow = readFileSync(join(dir, ".github/workflows/mooring.yml"), "utf8");
  assert.equal(workflow, example.replace('trust-root: ""', `trust-root: "${root}"`));
  let printed = "";
  await trustRoot({ dir }, { write: (part) => (printed += part) });
  assert.equal(printed.trim(), root);
});

/** PROTOCOL.u2f of OpenSSH: type, public key, application. */
function hardwareKey(): string {
  const part = (value: string | Uint8Array): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(Buffer.from(value).length);
    return Buffer.concat([size, Buffer.from(value)]);
  };
  const type = "sk-ssh-ed25519@openssh.com";
  const point = Buffer.from(me.key.split(" ")[1]!, "base64").subarray(-32);
  return `${type} ${Buffer.concat([part(type), part(point), part("ssh:")]).toString("base64")}`;
}
