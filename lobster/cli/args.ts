import { MooringError } from "#base/errors/index.ts";

const OPTIONS = {
  root: "text",
  pins: "text",
  uids: "number",
  "ssh-gid": "number",
  "insecure-one-uid": "flag",
  "plugin-id": "text",
  detach: "flag",
  json: "flag",
} as const;
type OptionName = keyof typeof OPTIONS;

const COMMANDS = {
  init: ["root", "pins", "uids", "ssh-gid", "insecure-one-uid"],
  serve: ["root", "uids", "ssh-gid", "insecure-one-uid"],
  stdio: ["root"],
  run: ["root", "plugin-id", "detach"],
  resolve: ["root"],
  status: ["root", "json"],
  doctor: ["root"],
  verify: ["root", "insecure-one-uid"],
} as const satisfies Record<string, readonly OptionName[]>;
export type CommandName = keyof typeof COMMANDS;

export type Args = {
  readonly command: CommandName;
  readonly root: string;
  readonly pins: string | null;
  readonly uids: number | null;
  readonly sshGid: number | null;
  readonly isOneUid: boolean;
  readonly plugin: string | null;
  readonly isDetached: boolean;
  readonly isJson: boolean;
};

const DEFAULT_ROOT = "/opt/openclaw/lobster";

export const HELP = `openclaw-lobster: the agent of mooring on a machine
  init    --root DIR --pins FILE [--uids FIRST [--ssh-gid GID] | --insecure-one-uid]   make this machine ready; prints its signed statement
  serve   --root DIR [--uids FIRST [--ssh-gid GID] | --insecure-one-uid]               the agent itself
  stdio   --root DIR                                                 join stdin and stdout to the agent's socket
  run     --root DIR --plugin-id X [--detach]                        start X, follow its log, exit with its code
  status  --root DIR [--json]                                        what runs
  verify  --root DIR [--insecure-one-uid]                            re-hash the current generation and check the audit log, offline
--root is ${DEFAULT_ROOT} unless given.
`;

/** The command in `argv` (without node and script), or null for help. Pure; throws USAGE naming the word that is wrong. */
export function parseArgs(argv: readonly string[]): Args | null {
  const [name, ...rest] = argv;
  if (name === undefined || rest.includes("--help") || ["help", "--help", "-h"].includes(name)) return null;
  if (!Object.hasOwn(COMMANDS, name)) throw usage(`no command ${name}`);
  const command = name as CommandName;
  const found = readOptions(rest, command);
  const args = {
    command,
    root: text(found, "root") ?? DEFAULT_ROOT,
    pins: text(found, "pins"),
    uids: number(found, "uids"),
    sshGid: number(found, "ssh-gid"),
    isOneUid: found.has("insecure-one-uid"),
    plugin: text(found, "plugin-id"),
    isDetached: found.has("detach"),
    isJson: found.has("json"),
  };
  if (!args.root.startsWith("/")) throw usage("--root takes an absolute path");
  if (args.uids !== null && args.isOneUid) throw usage("--uids and --insecure-one-uid exclude each other");
  return args;
}

function readOptions(words: readonly string[], command: CommandName): ReadonlyMap<OptionName, string> {
  const found = new Map<OptionName, string>();
  for (let i = 0; i < words.length; i++) {
    const [, name, inline] = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(words[i] ?? "") ?? [];
    const known: readonly OptionName[] = COMMANDS[command];
    const option = known.find((one) => one === name);
    if (option === undefined) throw usage(`${command} takes no ${words[i]}`);
    if (found.has(option)) throw usage(`--${option} twice`);
    if (OPTIONS[option] === "flag") {
      if (inline !== undefined) throw usage(`--${option} takes no value`);
      found.set(option, "");
    } else {
      const value = inline ?? words[++i];
      if (value === undefined || value === "") throw usage(`--${option} needs a value`);
      found.set(option, value);
    }
  }
  return found;
}

function text(found: ReadonlyMap<OptionName, string>, name: OptionName): string | null {
  return found.get(name) ?? null;
}

function number(found: ReadonlyMap<OptionName, string>, name: OptionName): number | null {
  const value = found.get(name);
  if (value === undefined) return null;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw usage(`--${name} takes a number above 0`);
  return Number(value);
}

function usage(what: string): MooringError {
  return new MooringError("USAGE", `openclaw-lobster: ${what}`, { fix: "see `openclaw-lobster --help`" });
}
