/** A fleet repo of a given size, as real ones look: `node scripts/gen-fleet.ts DIR --machines 1000`. Keys are made at run time; git writes it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  baselineDocument,
  FLEET,
  grantDocument,
  machineDocument,
  machineName,
  PEOPLE,
  pluginDocuments,
  pluginName,
  publicKeyPem,
  ROLES,
  secretDocuments,
  sshKey,
} from "./gen-fleet/documents.ts";

export type GenOptions = {
  /** Made anew; must not exist yet. */
  readonly dir: string;
  readonly machines: number;
  readonly plugins?: number;
  /** Baselines with all their fields: this version shows them, and refuses to run them. */
  readonly baselines?: boolean;
};

const TEAMS = ["mail", "infra", "media", "support"] as const;

/** Writes the fleet to branch `main` and a pull request on branch `change`: a plugin's new version, a grant that asks for more, a machine with another
 *  role and one that leaves. The checkout stands on `change`. Packed, as a clone would be. Gives back the two commits. */
export function genFleet(options: GenOptions): { readonly base: string; readonly head: string } {
  const { dir, machines, plugins = 24 } = options;
  mkdirSync(dir, { recursive: true });
  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  };
  writeShared(put, options.baselines === true);
  for (let n = 0; n < plugins; n++) writePlugin(put, n, 1);
  const secrets = writeSecrets(put, plugins);
  for (let n = 1; n < plugins; n++) put(`grants/${pluginName(n)}.yaml`, grantDocument(n, secretsOf(n, secrets)));
  for (let i = 0; i < machines; i++) put(`machines/${machineName(i)}.yaml`, machineDocument(i));
  git(dir, "init", "--quiet", "--initial-branch=main");
  const base = commit(dir, "the fleet");
  git(dir, "checkout", "--quiet", "-b", "change");
  writePlugin(put, 1, 2);
  put(`grants/${pluginName(2)}.yaml`, grantDocument(2, [...secretsOf(2, secrets), secrets.at(-1)!]));
  edit(join(dir, `machines/${machineName(1)}.yaml`), "role: build", `role: ${ROLES[0]}`);
  if (machines > 4) rmSync(join(dir, `machines/${machineName(machines - 1)}.yaml`));
  const head = commit(dir, "mail: the next version, with one secret more");
  git(dir, "repack", "-a", "-d", "-q");
  return { base, head };
}

function edit(path: string, from: string, to: string): void {
  writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
}

type Put = (path: string, content: string | Uint8Array) => void;

function writeShared(put: Put, isWhole: boolean): void {
  put("fleet.yaml", FLEET);
  put("README.md", "# The fleet\n");
  put("trust/allowed_signers", PEOPLE.map((name) => `${name}@acme.dev ${sshKey()}\n`).join(""));
  for (const key of ["platform", "apps"]) put(`trust/keys/${key}.pub`, publicKeyPem());
  put("baselines/common.yaml", baselineDocument("common", "all", isWhole));
  for (const role of ROLES) put(`baselines/${role}.yaml`, baselineDocument(role, `{ labels: { role: ${role} } }`, false));
}

function writePlugin(put: Put, n: number, serial: number): void {
  const { document, lock } = pluginDocuments(n, serial);
  put(`plugins/${pluginName(n)}.yaml`, document);
  put(`plugins/${pluginName(n)}.lock.json`, lock);
}

function writeSecrets(put: Put, plugins: number): readonly string[] {
  const names = Array.from({ length: plugins * 2 }, (_, i) => `${TEAMS[i % TEAMS.length]}/token-${i}`);
  for (const name of names) {
    const { document, file, age } = secretDocuments(name);
    put(`secrets/${name}.yaml`, document);
    put(`secrets/${dirname(name)}/${file}`, age);
  }
  return names;
}

/** Two of its own and one that several share. */
function secretsOf(n: number, secrets: readonly string[]): readonly string[] {
  return [...new Set([secrets[n]!, secrets[n + 1]!, secrets[Math.floor(n / 4)]!])];
}

function commit(dir: string, message: string): string {
  git(dir, "add", "-A");
  git(dir, "commit", "--quiet", "-m", message);
  return git(dir, "rev-parse", "HEAD");
}

function git(dir: string, ...args: readonly string[]): string {
  const who = { NAME: "Ann", EMAIL: "ann@example.net" };
  const env = {
    PATH: process.env["PATH"],
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    ...Object.fromEntries(Object.entries(who).flatMap(([key, value]) => ["AUTHOR", "COMMITTER"].map((as) => [`GIT_${as}_${key}`, value]))),
  };
  return execFileSync("git", ["-c", "gc.auto=0", ...args], { cwd: dir, env, encoding: "utf8" }).trim();
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { machines: { type: "string", default: "1000" }, plugins: { type: "string", default: "24" }, baselines: { type: "boolean" } },
  });
  const dir = resolve(positionals[0] ?? "fleet");
  const { base, head } = genFleet({
    dir,
    machines: Number(values.machines),
    plugins: Number(values.plugins),
    baselines: values.baselines === true,
  });
  process.stdout.write(`${dir}: ${values.machines} machines; main ${base}, change ${head}\n`);
}
