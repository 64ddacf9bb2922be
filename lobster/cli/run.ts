import { constants } from "node:os";
import { MooringError } from "#base/errors/index.ts";
import { sleep } from "#base/time/index.ts";
import { agentStatus } from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import type { Admin } from "./admin.ts";

const logLine = z.object({ stream: z.enum(["stdout", "stderr"]), text: z.string(), seq: z.int() });
const POLL_MS = 250;

export type RunIo = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Fires when whoever called `run` wants it to end (SIGINT, SIGTERM). */
  readonly stop: AbortSignal;
};

/** `run --plugin-id X`: asks the agent to start X, prints its log, and answers the code it ended with: 128 + signal number when a signal ended it.
 *  With `isDetached` it answers 0 as soon as X was started. When `io.stop` fires X is stopped, and `run` goes on until X has ended. */
export async function runPlugin(admin: Admin, plugin: string, isDetached: boolean, io: RunIo): Promise<number> {
  const path = `/v1/plugins/${encodeURIComponent(plugin)}/state`;
  const before = await stateOf(admin, plugin);
  if (before.state !== "running") await admin.json("PUT", path, { state: "running" });
  if (isDetached) return 0;
  const reading = new AbortController();
  const log = admin.lines(`/v1/logs?plugin=${encodeURIComponent(plugin)}&follow=1`, printer(io), reading.signal);
  const onStop = (): void =>
    void admin.json("PUT", path, { state: "stopped" }).catch(() => io.stderr("openclaw-lobster: the agent is gone\n"));
  io.stop.addEventListener("abort", onStop, { once: true });
  try {
    return await Promise.race([endOf(admin, plugin, before), log.then(() => gone(plugin))]);
  } finally {
    io.stop.removeEventListener("abort", onStop);
    reading.abort();
  }
}

type Status = z.infer<typeof agentStatus>["plugins"][number];

async function stateOf(admin: Admin, plugin: string): Promise<Status> {
  const status = agentStatus.safeParse(await admin.json("GET", "/v1/status"));
  if (!status.success) throw new MooringError("AGENT_UNREACHABLE", "/v1/status: an answer that is not the agent's");
  const found = status.data.plugins.find((one) => one.id === plugin);
  if (found === undefined) throw new MooringError("PLUGIN_UNKNOWN", `plugin ${plugin} is not in the current generation`);
  return found;
}

/** The exit code of the run that `run` follows: the one that went on at the start, or the next one. */
async function endOf(admin: Admin, plugin: string, before: Status): Promise<number> {
  for (;;) {
    const { lastExit, state } = await stateOf(admin, plugin);
    if (lastExit && lastExit.runSeq > (before.lastExit?.runSeq ?? 0)) {
      await sleep(POLL_MS); // its last lines are on their way through the bridge
      return exitCode(lastExit);
    }
    if (state === "failed" || state === "withheld") throw new MooringError("PLUGIN_NOT_STARTED", `plugin ${plugin} is ${state}`);
    await sleep(POLL_MS);
  }
}

function exitCode(exit: { readonly code: number | null; readonly signal: string | null }): number {
  if (exit.code !== null) return exit.code;
  const signals: Readonly<Record<string, number>> = constants.signals;
  return 128 + (signals[exit.signal ?? ""] ?? 0);
}

function printer(io: RunIo): (line: string) => void {
  return (line) => {
    const found = logLine.safeParse(JSON.parse(line));
    if (found.success) io[found.data.stream](`${found.data.text}\n`);
  };
}

function gone(plugin: string): never {
  throw new MooringError("AGENT_UNREACHABLE", `the log of ${plugin} ended`, { why: "the agent closed it" });
}
