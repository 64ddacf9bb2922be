export { type Hub, makeHub, type StatementOutcome } from "./hub.ts";
export { makeSourceLoop } from "./source-loop.ts";
