import * as z from "zod/mini";
import { counter, digest, time } from "./names.ts";

/** A durable event of the agent's journal: what happened on the machine, for people and for the hub's history. `data` holds scalars and short
 *  lists only, never content of files, never a secret. */
export const agentEvent = z.object({
  stream: z.string(),
  seq: counter,
  at: time,
  kind: z.enum([
    "apply.done",
    "apply.undone",
    "drift.seen",
    "drift.corrected",
    "drift.fight",
    "plugin.started",
    "plugin.exited",
    "plugin.failed",
    "release.refused",
    "statement.accepted",
    "bindings.changed",
    "epoch.raised",
    "gap",
  ]),
  data: z.record(z.string(), z.unknown()),
});
export type AgentEvent = z.infer<typeof agentEvent>;

/** Frames of GET /v1/events: durable ones carry `id: <stream>.<seq>`; hello, root, beat and bye do not. */
export const rootFrame = z.object({ root: digest, generation: counter, observedGeneration: counter });
export const beatFrame = z.object({ now: time, root: digest });
export const ackRequest = z.strictObject({ stream: z.string(), seq: counter });
