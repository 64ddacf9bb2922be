import http from "node:http";
import { MooringError } from "#base/errors/index.ts";
import { type AgentEvent, agentEvent, type Hello, hello, rootFrame } from "#schemas/wire/index.ts";
import type * as z from "zod/mini";

/** What the hub hears from a machine: durable events in order, and the latest root. */
export type Events = {
  readonly onHello: (hello: Hello) => void;
  readonly onRoot: (root: z.infer<typeof rootFrame>) => void;
  /** `id` = "<stream>.<seq>". */
  readonly onEvent: (event: AgentEvent, id: string) => void;
};

const DEAD_AFTER_MS = 40_000; // WIRE §2: a beat each 15 s
const MAX_FRAME_BYTES = 256 * 1024;

/** Reads one event stream until it ends. Resolves when the agent or the link ended it; AGENT_UNREACHABLE when no beat came in time. */
export function openEvents(
  agent: http.Agent,
  machine: string,
  {
    after,
    epoch,
    on,
    signal,
  }: { readonly after: string | null; readonly epoch: number; readonly on: Events; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = http.request({
      agent,
      host: "lobster",
      path: "/v1/events",
      headers: { "Mooring-Wire": "1", "Mooring-Epoch": String(epoch), ...(after === null ? {} : { "Last-Event-ID": after }) },
    });
    let dead: NodeJS.Timeout | undefined;
    const end = (err: unknown): void => {
      clearTimeout(dead);
      signal.removeEventListener("abort", stop);
      req.destroy();
      agent.destroy();
      if (err === null) resolve();
      else
        reject(err instanceof MooringError ? err : new MooringError("AGENT_UNREACHABLE", `${machine}: the event stream`, { cause: err }));
    };
    const stop = (): void => end(null);
    const alive = (): void => {
      clearTimeout(dead);
      dead = setTimeout(() => end(new MooringError("AGENT_UNREACHABLE", `${machine}: no beat for ${DEAD_AFTER_MS} ms`)), DEAD_AFTER_MS);
      dead.unref();
    };
    signal.addEventListener("abort", stop, { once: true });
    alive();
    req.on("error", end);
    req.on("response", (res) => {
      if (res.statusCode !== 200)
        return end(new MooringError("AGENT_ANSWER_MALFORMED", `${machine}: events refused with ${res.statusCode ?? 0}`));
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (part: string) => {
        alive();
        text += part;
        for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
          dispatch(text.slice(0, at), on);
          text = text.slice(at + 2);
        }
        if (text.length > MAX_FRAME_BYTES) end(new MooringError("AGENT_ANSWER_MALFORMED", `${machine}: an event beyond all bounds`));
      });
      res.on("error", end);
      res.on("close", () => end(null));
    });
    req.end();
  });
}

/** One frame to its listener; frames of other names or forms are ignored, since /v1 only grows. */
function dispatch(frame: string, on: Events): void {
  const fields = new Map(
    frame.split("\n").map((line) => {
      const at = line.indexOf(": ");
      return [line.slice(0, at), line.slice(at + 2)] as const;
    }),
  );
  const data = jsonOr(fields.get("data") ?? "");
  switch (fields.get("event") ?? "") {
    case "hello": {
      const parsed = hello.safeParse(data);
      if (parsed.success) on.onHello(parsed.data);
      break;
    }
    case "root": {
      const parsed = rootFrame.safeParse(data);
      if (parsed.success) on.onRoot(parsed.data);
      break;
    }
    case "event": {
      const parsed = agentEvent.safeParse(data);
      if (parsed.success) on.onEvent(parsed.data, fields.get("id") ?? "");
      break;
    }
    default:
      break;
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
