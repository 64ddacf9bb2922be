import { parentPort } from "node:worker_threads";
import { type BoundDeck, bindDeck } from "../cel/bind.ts";
import { compile } from "../cel/run.ts";
import type { Answer, Ask } from "./wire.ts";

// Entry of the worker thread that runs expressions: no files, no network, nothing kept but the deck. The engine ends it when it takes too long.
const port = parentPort;
if (port === null) throw new Error("this runs as a worker");

let deck: BoundDeck | null = null;

port.on("message", (ask: Ask) => port.postMessage(answer(ask)));
port.postMessage({ kind: "ready" } satisfies Answer);

function answer(ask: Ask): Answer {
  const { id } = ask;
  try {
    switch (ask.kind) {
      case "compile":
        return { id, kind: "compiled", problems: compile(ask.program).problems };
      case "load":
        deck = bindDeck(ask.deck);
        return { id, kind: "loaded" };
      case "evaluate":
        if (deck === null) return { id, kind: "crashed" };
        return { id, kind: "evaluated", evaluation: compile(ask.program, { cover: ask.cover }).evaluate(deck, ask.which) };
      default:
        return ask satisfies never;
    }
  } catch {
    return { id, kind: "crashed" }; // whatever it was, the engine takes it as a no
  }
}
