import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Socket } from "node:net";
import { MooringError } from "#base/errors/index.ts";

/** Started under the plugin's uid, it waits for the go byte on fd 4 before the first instruction of the plugin runs. Without that byte (the agent
 *  died) it ends. `$1` = how many processes and threads the uid may have, or "-" where the uid is not the plugin's alone. */
const TRAMPOLINE = `ulimit -c 0
[ "$1" = - ] || ulimit -u "$1" 2>/dev/null || ulimit -p "$1" || exit 126
shift
IFS= read -r go <&4 && [ "$go" = go ] || exit 126
exec 4<&-
exec "$@"`;

const MAX_TASKS = "256"; // Node with its worker pool has 11; a fork bomb ends here, not at the machine's limit
const SETPRIV = "/usr/bin/setpriv"; // util-linux; macOS has no such switch, there only the uid separates

export type LaunchSpec = {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The plugin's own uid (its gid has the same number), or null = the agent's. */
  readonly uid: number | null;
};

/** The far ends of the plugin's descriptors, to be handed to the bridge. The agent never reads them: nothing runs behind them yet. */
export type FarEnds = { readonly stdout: Socket; readonly stderr: Socket; readonly secrets: Socket };

export type Exited = { readonly code: number | null; readonly signal: string | null };

export type Launched = {
  /** Also the id of its process group and session. */
  readonly pid: number;
  readonly farEnds: FarEnds;
  /** Lets the plugin run. The far ends MUST have been handed over by then; the agent's copies are closed here. */
  go(): void;
  readonly exited: Promise<Exited>;
};

/** A process that is about to become the plugin: right uid, own process group, clean descriptors 0-4, stopped before `exec`. Rejects with
 *  PLUGIN_NOT_STARTED when the system refuses to make it. */
export async function launch(spec: LaunchSpec): Promise<Launched> {
  const own = spec.uid !== null;
  const prefix = existsSync(SETPRIV) ? [SETPRIV, "--no-new-privs", "--"] : [];
  const child = spawn("/bin/sh", ["-c", TRAMPOLINE, "sh", own ? MAX_TASKS : "-", ...prefix, ...spec.command], {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    env: { ...spec.env },
    cwd: spec.cwd,
    detached: true,
    ...(spec.uid === null ? {} : { uid: spec.uid, gid: spec.uid }),
  });
  const exited = exitOf(child);
  const pid = await spawned(child);
  const [, stdout, stderr, secrets, gate] = child.stdio.map((end) => (end instanceof Socket ? end : null));
  if (!stdout || !stderr || !secrets || !gate) throw new Error("a pipe of a child is not a socket");
  for (const end of [stdout, stderr, secrets, gate]) end.on("error", () => end.destroy()); // a dying child: its exit tells
  const go = (): void => {
    for (const end of [stdout, stderr, secrets]) end.destroy();
    gate.end("go\n", () => gate.destroy());
  };
  return { pid, farEnds: { stdout, stderr, secrets }, go, exited };
}

function exitOf(child: ChildProcess): Promise<Exited> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(new MooringError("PLUGIN_NOT_STARTED", "a plugin's process was not made", { cause })));
    child.once("spawn", () => resolve(child.pid ?? 0));
  });
}
