import * as z from "zod/mini";
import { counter, digest, fleetId, machineId, revision, sectionKey, time } from "./names.ts";

/** One path of a section that is not as it should be. `extra` = ours but not asked for. */
export const pathDrift = z.readonly(
  z.object({ path: z.string(), what: z.enum(["missing", "changed", "extra"]), have: z.nullable(digest), want: z.nullable(digest) }),
);
export type PathDrift = z.infer<typeof pathDrift>;

/** What was seen of a section: its content again (the leaf repeats), or drift (WIRE §3.5). */
export const observed = z.discriminatedUnion("at", [
  z.readonly(z.object({ at: z.literal("intact"), leaf: digest })),
  z.readonly(z.object({ at: z.literal("drifted"), leaf: digest, want: digest, paths: z.readonly(z.array(pathDrift)) })),
]);
export type Observed = z.infer<typeof observed>;

/** The live state of one machine as GET /v1/live answers it: an index, details for drifted sections, foreign things. `root` is over the
 *  index and equals the desired root exactly when nothing drifted. The keys are the inventory. */
export const liveAnswer = z.object({
  v: z.literal(1),
  fleet: fleetId,
  machine: machineId,
  root: digest,
  index: z.readonly(z.array(z.readonly(z.tuple([sectionKey, digest])))),
  drifted: z.readonly(z.record(z.string(), z.readonly(z.array(pathDrift)))),
  foreign: z.readonly(z.array(z.string())),
  observedAt: time,
});
export type LiveAnswer = z.infer<typeof liveAnswer>;

/** GET /v1/hello. `trust` = leaf of the accepted trust section (the pin before first contact); `release` = accepted release or null. */
export const hello = z.object({
  fleet: fleetId,
  machine: machineId,
  incarnation: counter,
  bootId: z.string(),
  agent: z.string(),
  wire: z.readonly(z.array(counter)),
  features: z.readonly(z.array(z.string())),
  epoch: counter,
  generation: counter,
  observedGeneration: counter,
  revision: z.nullable(revision),
  release: z.nullable(z.object({ serial: counter, digest, secretsSerial: z.nullable(counter) })),
  trust: digest,
  root: digest,
  stream: z.object({ id: z.string(), first: counter, last: counter }),
  now: time,
});
export type Hello = z.infer<typeof hello>;

/** One condition of Flux's family; `reason` is an error code, Succeeded or Progressing. */
export const condition = z.object({
  type: z.enum(["Ready", "Reconciling", "Stalled", "Healthy"]),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string(),
  message: z.string(),
  observedGeneration: counter,
  since: time,
});
export type Condition = z.infer<typeof condition>;

/** One plugin as its supervisor sees it. `runSeq` counts its starts since the agent's own. */
export const pluginStatus = z.object({
  id: z.string(),
  version: z.string(),
  state: z.enum(["running", "starting", "stopped", "backing-off", "failed", "withheld"]),
  pid: z.nullable(counter),
  runSeq: counter,
  restarts: counter,
  health: z.enum(["healthy", "unhealthy", "unknown"]),
  since: time,
  lastExit: z.optional(z.nullable(z.object({ runSeq: counter, code: z.nullable(counter), signal: z.nullable(z.string()) }))),
});

/** GET /v1/status of an agent. */
export const agentStatus = z.object({
  conditions: z.readonly(z.array(condition)),
  plugins: z.readonly(z.array(pluginStatus)),
  held: z.nullable(z.string()),
});
export type AgentStatus = z.infer<typeof agentStatus>;
