import type { Socket } from "node:net";
import type { FromBridge } from "#bridge/client/ipc.ts";
import { Budget } from "./budget.ts";
import { LineCutter } from "./lines.ts";
import type { Redactor } from "./redact.ts";

type Line = Extract<FromBridge, { readonly t: "line" }>;

export type OutputOptions = Pick<Line, "plugin" | "runSeq" | "stream"> & {
  readonly redactor: Redactor;
  readonly mono: () => number;
  /** false = the agent does not keep up: the line is dropped and counted. */
  readonly send: (line: Line) => boolean;
  readonly onClose: () => void;
};

/** Bytes of text a run's stream may pass on: a burst, then so many a second. The rest is dropped and counted, never queued. */
const BURST = 1 << 20;
const PER_SECOND = 1 << 18;

/** Reads a plugin's stdout or stderr to its end and passes clean lines on. Never blocks the plugin. */
export function readOutput(socket: Socket, options: OutputOptions): void {
  const { plugin, runSeq, stream, mono, send } = options;
  const cutter = new LineCutter(options.redactor);
  const budget = new Budget(BURST, PER_SECOND, mono());
  let dropped = 0;
  const pass = (text: string): void => {
    if (!budget.take(mono(), text.length + 64)) {
      dropped += 1;
      return;
    }
    if (dropped > 0 && send({ t: "line", plugin, runSeq, stream, text: `[${dropped} lines dropped]` })) dropped = 0;
    if (!send({ t: "line", plugin, runSeq, stream, text })) dropped += 1;
  };
  socket.on("error", () => undefined); // "close" follows
  socket.on("data", (chunk) => {
    for (const text of cutter.push(chunk)) pass(text);
  });
  socket.on("close", () => {
    const last = cutter.end();
    if (last !== null) pass(last);
    if (dropped > 0) send({ t: "line", plugin, runSeq, stream, text: `[${dropped} lines dropped]` });
    options.onClose();
  });
}
