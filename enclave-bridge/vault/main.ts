import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { asDigest } from "#base/canonical/index.ts";
import { formatError, MooringError } from "#base/errors/index.ts";
import { lineLog } from "#base/log/index.ts";
import { type FleetId, NAME } from "#schemas/wire/index.ts";
import { initVault, pinTrust } from "./config.ts";
import { isLockLimitLow, refuseExposed } from "./guard.ts";
import { runVault } from "./serve.ts";

const USAGE = `mooring-vault init --dir DIR --fleet FLEET [--trust-root LEAF] --insecure-plain-keys
mooring-vault pin --dir DIR --trust-root LEAF
mooring-vault serve --dir DIR --socket PATH [--group GID]`;

const OPTIONS = {
  dir: { type: "string" },
  fleet: { type: "string" },
  "trust-root": { type: "string" },
  "insecure-plain-keys": { type: "boolean" },
  socket: { type: "string" },
  group: { type: "string" },
} as const;

/** The process `mooring-vault`. `init` prints, as one JSON object, the age recipient and the key line for trust/allowed_signers. */
async function main(argv: readonly string[]): Promise<void> {
  const { command, values } = readArgs(argv);
  const need = (name: "dir" | "fleet" | "trust-root" | "socket"): string => {
    const value = values[name];
    if (value === undefined) throw usage(`--${name} is missing`);
    return value;
  };
  refuseExposed();
  process.umask(0o077);
  if (command === "init") return await init(need("dir"), need("fleet"), values["trust-root"], values["insecure-plain-keys"] === true);
  if (command === "pin") return await pinTrust(need("dir"), asDigest(need("trust-root"), "--trust-root"));
  if (command === "serve") return await run(resolve(need("dir")), resolve(need("socket")), values.group);
  throw usage(command === undefined ? "no command" : "an unknown command");
}

function readArgs(argv: readonly string[]) {
  try {
    const { positionals, values } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
    return { command: positionals.length === 1 ? positionals[0] : undefined, values };
  } catch (cause) {
    throw usage("an unknown option", cause);
  }
}

async function init(dir: string, fleet: string, trustRoot: string | undefined, insecurePlainKeys: boolean): Promise<void> {
  if (!NAME.test(fleet)) throw usage("--fleet is no name of a fleet");
  const trust = trustRoot === undefined ? null : asDigest(trustRoot, "--trust-root");
  const keys = await initVault({ dir, fleet: fleet as FleetId, trust, insecurePlainKeys });
  const allowedSigners = `vault namespaces="mooring-secrets" ${keys.signer.key}`;
  process.stdout.write(`${JSON.stringify({ recipient: keys.recipient, key: keys.signer.key, allowedSigners })}\n`);
}

async function run(dir: string, socket: string, group: string | undefined): Promise<void> {
  if (group !== undefined && !/^\d{1,9}$/.test(group)) throw usage("--group is no number");
  const log = lineLog((line) => process.stderr.write(line), Date.now, { name: "mooring-vault" });
  if (isLockLimitLow()) log.warn({}, "the limit of locked memory is low: raise `ulimit -l`, or secrets may be swapped");
  enter(dir);
  const uid = process.getuid?.() ?? 0;
  const vault = await runVault({ dir, socket, group: group === undefined ? null : Number(group), log, now: Date.now, uid, onCrash: fail });
  process.stdout.write("ready\n");
  const stop = (): void => {
    vault.stop().then(() => process.exit(0), fail);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

/** The lock's path is short only from inside the folder. */
function enter(dir: string): void {
  try {
    process.chdir(dir);
  } catch (cause) {
    throw new MooringError("VAULT_KEYS_BROKEN", `${dir}: there is no vault`, { cause, fix: "make one with `mooring-vault init`" });
  }
}

function usage(why: string, cause?: unknown): MooringError {
  return new MooringError("USAGE", "mooring-vault", { why, fix: USAGE, cause });
}

/** Code, message, why and fix only: a foreign error's text may quote anything. */
function fail(err: unknown): never {
  process.stderr.write(`${formatError(err)}\n`);
  process.exit(1);
}

process.once("uncaughtException", fail);
await main(process.argv.slice(2)).catch(fail);
