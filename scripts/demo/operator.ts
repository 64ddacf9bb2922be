import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GitHttpServer, serveGit } from "#test/support/git-http.ts";
import type { Bundles } from "./bundles.ts";
import type { Machine } from "./machines.ts";
import { type Ended, must, run } from "./run.ts";
import type { VaultKeys } from "./services.ts";
import { check } from "./wait.ts";
import type { World } from "./world.ts";

export const PEOPLE = ["a", "b", "security", "recovery", "ops"] as const;
export type Person = (typeof PEOPLE)[number];

const EXAMPLE = join(import.meta.dirname, "../../examples/fleet-repo");

/** A person at a laptop: keys, a clone of the fleet repo, git, and the command line. */
export type Operator = {
  readonly fleet: string;
  readonly clone: string;
  readonly bare: string;
  readonly url: string;
  readonly git: GitHttpServer;
  /** What a person has to type before the words of a command, for the story and for "what to try next". */
  readonly mooring: (words: readonly string[], options?: { readonly input?: string }) => Promise<Ended>;
  readonly mustMooring: (words: readonly string[], options?: { readonly input?: string }) => Promise<string>;
  /** `--key FILE --as NAME@acme.dev`. */
  readonly as: (person: Person) => readonly string[];
  readonly edit: (path: string, change: (text: string) => string) => void;
  /** Commits all that changed and pushes main; gives the commit. */
  readonly push: (message: string) => Promise<string>;
};

/** Puts a copy of the example on the git server, with nothing of its keys left: people, vault, recipients and plugin author are this run's. */
export async function makeOperator(world: World, vault: VaultKeys, bundles: Bundles): Promise<Operator> {
  const home = world.folder("operator", null);
  const repos = world.folder("git", null);
  const bare = join(repos, "fleet.git");
  const clone = join(home, "fleet");
  const env = operatorEnv(home);
  const git = (args: readonly string[], cwd = clone): Promise<string> => must("git", args, { cwd, env });
  await git(["init", "--quiet", "--bare", "--initial-branch=main", bare], repos);
  await git(["config", "http.receivepack", "true"], bare);
  const server = await serveGit(repos);
  world.onClose(() => server.close());
  const url = server.url("fleet.git");
  await git(["clone", "--quiet", url, clone], home);
  await git(["checkout", "--quiet", "-b", "main"]);
  await git(["config", "user.name", "Alex"]);
  await git(["config", "user.email", "a@acme.dev"]);
  cpSync(EXAMPLE, clone, { recursive: true });
  writeTrust(home, clone, vault, bundles);
  const mooring = (words: readonly string[], { input = "" } = {}): Promise<Ended> =>
    run(world.code.program("mooring"), words, { cwd: clone, env, input });
  return {
    fleet: "acme",
    clone,
    bare,
    url,
    git: server,
    mooring,
    mustMooring: (words, { input = "" } = {}) => must(world.code.program("mooring"), words, { cwd: clone, env, input }),
    as: (person) => ["--key", join(home, "keys", person), "--as", `${person}@acme.dev`],
    edit: (path, change) => {
      const file = join(clone, path);
      const before = readFileSync(file, "utf8");
      const after = change(before);
      check(after !== before, `${path} was to be edited, and nothing changed`);
      writeFileSync(file, after);
    },
    push: async (message) => {
      await git(["add", "--all"]);
      await git(["commit", "--quiet", "--message", message]);
      await git(["push", "--quiet", "origin", "main"]);
      return (await git(["rev-parse", "HEAD"])).trim();
    },
  };
}

/** The Machine document as this run needs it: where its sshd is and what its statement says. */
export function enterMachine(operator: Operator, { name, sshd, statement }: Machine): void {
  operator.edit(`machines/${name}.yaml`, (text) =>
    text
      .replace(/connect: .*/, `connect: { addresses: [127.0.0.1], port: ${sshd.port} }`)
      .replace(/- ssh-ed25519 .*/, `- ${sshd.hostKey}`)
      .replace(/kx: .*/, `kx: ${statement.kx}`)
      .replace(/sig: .*/, `sig: ${statement.sig}`),
  );
}

/** The value goes in on stdin: never in argv, never in the environment. */
export async function addSecret(operator: Operator, trust: string, name: string, value: string): Promise<void> {
  const words = ["secret-ref", "add", name, "--repo", operator.clone, "--source", operator.url, "--trust-root", trust];
  await operator.mustMooring(words, { input: value });
}

/** The example's grant: the greeter may use secret://team/greeting. */
export function bringGrants(operator: Operator): void {
  cpSync(join(EXAMPLE, "grants"), join(operator.clone, "grants"), { recursive: true });
}

function writeTrust(home: string, clone: string, vault: VaultKeys, bundles: Bundles): void {
  const keys = join(home, "keys");
  execFileSync("mkdir", ["-m", "700", keys]);
  const lines = PEOPLE.map((person) => {
    const file = join(keys, person);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", person, "-f", file]);
    return `${person}@acme.dev ${readFileSync(`${file}.pub`, "utf8").trim()}`;
  });
  writeFileSync(join(clone, "trust/allowed_signers"), `${[...lines, vault.allowedSigners].join("\n")}\n`);
  writeFileSync(join(clone, "trust/recipients"), `${vault.recipient}\n`);
  writeFileSync(join(clone, "trust/keys/release.pub"), bundles.publicKey);
  // The example's secret is sealed to keys nobody has. Its grant comes back once this run's secret is there.
  for (const folder of ["secrets", "grants"]) rmSync(join(clone, folder), { recursive: true });
}

/** The same in the demo and in the shell of a person who tries on: see `envFile`. */
function operatorEnv(home: string): Readonly<Record<string, string>> {
  return { HOME: home, XDG_CACHE_HOME: join(home, "cache"), GIT_CONFIG_NOSYSTEM: "1" };
}

/** Writes a file that a shell can read in: the commands, the hub, the fleet repo and everybody's keys by name. Gives its path. */
export function writeEnvFile(world: World, { url, clone }: Operator, hubSocket: string, machines: readonly Machine[]): string {
  const home = join(clone, "..");
  const lines = [
    `export PATH='${join(world.code.dir, "bin")}':"$PATH" XDG_CACHE_HOME='${join(home, "cache")}'`,
    `export MOORING_SOURCE='${url}' MOORING_HUB='${hubSocket}' KEYS='${join(home, "keys")}'`,
    ...machines.map(({ root }, i) => `export MINI${i + 1}='${root}'`),
    `cd '${clone}'`,
  ];
  const file = join(world.root, "env");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
