import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const REPO = join(import.meta.dirname, "../..");

/** Where the programs are started from. */
export type Code = {
  readonly dir: string;
  readonly isCopy: boolean;
  program(name: "mooring" | "mooring-vault" | "openclaw-lobster"): string;
};

export function ownCode(): Code {
  return codeAt(REPO, false);
}

/** This checkout when any user of the machine can read it, else a copy of what runs, below `root`: a checkout in /root is closed to the hub's and the
 *  vault's own uids. */
export async function codeForAll(root: string, uid: number): Promise<Code> {
  if (isReadableBy(uid)) return ownCode();
  const dir = join(root, "code");
  mkdirSync(dir, { mode: 0o755 });
  const names = [
    "base",
    "bin",
    "bundle",
    "cli",
    "dist",
    "egress",
    "enclave-bridge",
    "lobster",
    "package.json",
    "plan",
    "proof",
    "reconciler",
    "schemas",
    "seal",
  ];
  execFileSync("cp", ["-a", ...names.map((name) => join(REPO, name)).filter(existsSync), dir]);
  mkdirSync(join(dir, "node_modules"), { mode: 0o755 });
  const packages = execFileSync("sh", ["-c", "ls -A"], { cwd: join(REPO, "node_modules"), encoding: "utf8" })
    .trim()
    .split("\n")
    .filter((name) => !UNNEEDED.test(name));
  execFileSync("cp", ["-a", ...packages.map((name) => join(REPO, "node_modules", name)), join(dir, "node_modules")]);
  execFileSync("chmod", ["-R", "go+rX", dir]);
  return codeAt(dir, true);
}

/** What only checks and builds. */
const UNNEEDED = /^(typescript|@typescript|@biomejs|@oxlint.*|oxlint.*|@esbuild|esbuild|knip|\.cache|\.package-lock\.json)$/;

function codeAt(dir: string, isCopy: boolean): Code {
  return { dir, isCopy, program: (name) => join(dir, "bin", name) };
}

const PROBES = ["package.json", "cli/main.ts", "dist/bridge.mjs", "node_modules/commander/package.json"];

/** Starts the pinned Node as `uid` and has it open a few files: every folder on the way counts. */
function isReadableBy(uid: number): boolean {
  const files = PROBES.map((path) => join(REPO, path));
  const script = "process.argv.slice(1).forEach((path) => fs.readFileSync(path))";
  const node = join(REPO, "node_modules/.bin/node");
  return spawnSync(node, ["-e", script, ...files], { cwd: "/", env: {}, uid, gid: uid, stdio: "ignore" }).status === 0;
}
