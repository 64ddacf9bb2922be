import type { Supervisor } from "#lobster/contract.ts";
import type { PluginId } from "#schemas/wire/index.ts";
import type { ServerResponse } from "node:http";

const MAX_WAITING_BYTES = 1024 * 1024; // what a slow reader may leave unread before lines are dropped

/** Lines of one plugin as ndjson, those after `since` and, with `follow`, each new one until the reader leaves. What a slow reader or the ring loses
 *  shows as {"dropped": n}. Throws PLUGIN_UNKNOWN before anything is written. */
export function streamLogs(
  supervisor: Supervisor,
  res: ServerResponse,
  ask: { readonly plugin: PluginId; readonly since: number; readonly follow: boolean },
): void {
  let expected: number | null = ask.since > 0 ? ask.since + 1 : null;
  const early: string[] = [];
  let isOpen = false;
  const write = (text: string): void => void (isOpen ? res.write(text) : early.push(text));
  const stop = supervisor.follow(ask.plugin, (line) => {
    if (line.seq <= ask.since) return;
    if (isOpen && res.writableLength > MAX_WAITING_BYTES) return; // the next line that is sent shows the gap
    if (expected !== null && line.seq > expected) write(`${JSON.stringify({ dropped: line.seq - expected })}\n`);
    expected = line.seq + 1;
    write(`${JSON.stringify(line)}\n`);
  });
  res.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  res.flushHeaders();
  isOpen = true;
  for (const text of early) res.write(text);
  if (ask.follow) res.on("close", stop);
  else {
    stop();
    res.end();
  }
}
