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

const MAX_FRAME_BYTES = 256 * 1024; // a journal line is far below; the agent's largest event names 50 paths

/** A reader of text/event-stream: takes the text in pieces as they come, however cut, and calls `on` for each whole frame. Frames of other names or
 *  forms are passed over, since /v1 only grows. Throws AGENT_ANSWER_MALFORMED for a frame beyond all bounds. */
export function frameReader(machine: string, on: Events): (piece: string) => void {
  let rest = "";
  return (piece) => {
    // A frame's end lies in the new piece, or one character before it.
    let from = Math.max(0, rest.length - 1);
    rest += piece;
    for (let end = rest.indexOf("\n\n", from); end >= 0; end = rest.indexOf("\n\n")) {
      const frame = rest.slice(0, end);
      rest = rest.slice(end + 2);
      from = 0;
      dispatch(frame, on);
    }
    if (rest.length > MAX_FRAME_BYTES) throw new MooringError("AGENT_ANSWER_MALFORMED", `${machine}: an event beyond all bounds`);
  };
}

function dispatch(frame: string, on: Events): void {
  const fields = fieldsOf(frame);
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
      if (parsed.success && fields.get("id") === `${parsed.data.stream}.${parsed.data.seq}`)
        on.onEvent(parsed.data, `${parsed.data.stream}.${parsed.data.seq}`);
      break;
    }
    default:
      break;
  }
}

/** `name: value` lines; one space after the colon is not part of the value, a line that starts with it is a comment (HTML, server-sent events). */
function fieldsOf(frame: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of frame.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1));
  }
  return fields;
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
