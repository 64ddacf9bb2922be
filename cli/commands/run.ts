import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { VERSION } from "../version.ts";
import { accessOf, type AccessFlags, addAccess } from "./access.ts";
import { digestOf, placeOf } from "./options.ts";
import type { Result } from "./result.ts";

type RunFlags = AccessFlags & {
  source: string;
  dir: string;
  trustRoot?: Digest;
  sshKey: string;
  sshUser: string;
  vault?: string;
  hub?: string;
  poll: number;
  insecureOneUid?: boolean;
  webhookListen?: { readonly host: string; readonly port: number };
  webhookSecretFile?: string;
};

/** `mooring run`: the hub, until SIGTERM or SIGINT. */
export function addRunCommand(program: Command, _result: Result): void {
  const command = program
    .command("run")
    .description("run the hub")
    .requiredOption("--source <url|path>", "the fleet repo")
    .requiredOption("--dir <dir>", "the hub's own folder")
    .requiredOption("--ssh-key <file>", "private key it logs in to machines with")
    .option("--trust-root <leaf>", "whom to believe: leaf of a trust section, past or present", digestOf)
    .option("--ssh-user <name>", "account on the machines", "_mooring")
    .option("--vault <socket>", "the vault's socket; without it no secret is delivered")
    .option("--hub <socket>", "where status and get find it; default hub.sock in --dir")
    .option("--poll <duration>", "how often it looks at a remote source", millisOf, 30_000)
    .option("--webhook-listen <host:port>", "listen there for webhooks of the git server", addressOf)
    .option("--webhook-secret-file <file>", "secrets of the webhooks, one a line")
    .option("--insecure-one-uid", "accept a vault that runs as the same user: the hub could read its memory");
  addAccess(command).action(async (flags: RunFlags) => {
    const { runHub } = await import("#reconciler/main.ts");
    const stop = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
    const dir = resolve(flags.dir);
    const options = {
      source: placeOf(flags.source),
      dir,
      trustRoot: flags.trustRoot ?? null,
      sshKey: flags.sshKey,
      sshUser: flags.sshUser,
      vault: flags.vault ?? null,
      socket: flags.hub === undefined ? join(dir, "hub.sock") : resolve(flags.hub),
      pollMs: flags.poll,
      insecureOneUid: flags.insecureOneUid === true,
      access: accessOf(flags),
      webhook: webhookOf(flags),
    };
    await runHub(options, VERSION, stop.signal);
  });
}

function webhookOf({ webhookListen: at, webhookSecretFile: secretFile }: RunFlags) {
  if (at === undefined && secretFile === undefined) return null;
  if (at === undefined || secretFile === undefined)
    throw new MooringError("USAGE", "mooring run", { why: "--webhook-listen and --webhook-secret-file go together" });
  return { ...at, secretFile };
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new InvalidArgumentError("write it like 127.0.0.1:9443");
  return { host: match[1] ?? match[2] ?? "", port };
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

export function millisOf(text: string): number {
  const match = /^([1-9]\d{0,6})(ms|s|m|h)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("write it like 500ms, 30s or 5m");
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
