import { parentPort } from "node:worker_threads";
import { compile } from "../cel/run.ts";
import type { Answer, Ask } from "./wire.ts";

// Entry of the worker thread that runs expressions: no files, no network, nothing kept from one question to the next. The engine ends it when it
// takes too long.
const port = parentPort;
if (port === null) throw new Error("this runs as a worker");

port.on("message", (ask: Ask) => port.postMessage(answer(ask)));
port.postMessage({ kind: "ready" } satisfies Answer);

function answer(ask: Ask): Answer {
  try {
    if (ask.kind === "compile") return { id: ask.id, kind: "compiled", problems: ask.programs.map((program) => compile(program).problems) };
    const compiled = compile(ask.program, { cover: ask.cover });
    return { id: ask.id, kind: "evaluated", evaluation: compiled.evaluate(ask.shared, ask.subjects) };
  } catch {
    return { id: ask.id, kind: "crashed" }; // whatever it was, the engine takes it as a no
  }
}
