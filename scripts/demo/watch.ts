import { join } from "node:path";
import { adminAt } from "#lobster/cli/admin.ts";
import { type AgentStatus, agentStatus, type Hello, hello, type LiveAnswer, liveAnswer } from "#schemas/wire/index.ts";
import type { Machine } from "./machines.ts";
import { until } from "./wait.ts";

/** A line a plugin printed, and when it reached us (performance.now). */
export type SeenLine = { readonly text: string; readonly atMs: number };

/** What one machine says of itself, through its agent's own socket. */
export type Watch = {
  readonly hello: () => Promise<Hello>;
  readonly status: () => Promise<AgentStatus>;
  readonly live: (fresh?: "stat" | "hash") => Promise<LiveAnswer>;
  /** Lines of the plugin since `follow`, oldest first. */
  readonly lines: () => readonly SeenLine[];
  /** The first line after `sinceMs` that fits. */
  readonly line: (what: string, wanted: RegExp, sinceMs: number, ms: number) => Promise<SeenLine>;
  readonly follow: (plugin: string) => void;
  readonly close: () => void;
};

export function watchMachine(machine: Machine): Watch {
  const admin = adminAt(join(machine.root, "run/admin.sock"));
  const stop = new AbortController();
  const seen: SeenLine[] = [];
  const follow = async (plugin: string): Promise<void> => {
    let since = 0;
    while (!stop.signal.aborted) {
      try {
        await admin.lines(`/v1/logs?plugin=${plugin}&follow=1&since=${since}`, (line) => (since = take(seen, line) ?? since), stop.signal);
      } catch {
        // no such plugin yet, or its agent is not up: asked again
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    hello: async () => hello.parse(await admin.json("GET", "/v1/hello")),
    status: async () => agentStatus.parse(await admin.json("GET", "/v1/status")),
    live: async (fresh) => liveAnswer.parse(await admin.json("GET", fresh === undefined ? "/v1/live" : `/v1/live?fresh=${fresh}`)),
    lines: () => seen,
    line: (what, wanted, sinceMs, ms) =>
      until(
        `${machine.name}: ${what}`,
        ms,
        () => seen.find((line) => line.atMs >= sinceMs && wanted.test(line.text)) ?? null,
        () => `last line: ${seen.at(-1)?.text ?? "none"}`,
        5,
      ),
    follow: (plugin) => void follow(plugin),
    close: () => stop.abort(),
  };
}

/** Keeps a line of the log and gives its number, null for a gap. */
function take(seen: SeenLine[], json: string): number | null {
  const line = JSON.parse(json) as { readonly seq?: number; readonly text?: string };
  if (line.seq === undefined || line.text === undefined) return null;
  seen.push({ text: line.text, atMs: performance.now() });
  return line.seq;
}
