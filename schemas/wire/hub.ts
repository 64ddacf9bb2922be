import * as z from "zod/mini";
import { condition, pluginStatus } from "./live.ts";
import { problem } from "./apply.ts";
import { counter, digest, machineId, time } from "./names.ts";

/** Whom a role trusts, as `mooring status` prints it; of a role by: ci the one principal is its workflow. */
const roleView = z.object({
  by: z.string(),
  principals: z.readonly(z.array(z.string())),
  threshold: counter,
  touch: z.optional(z.string()),
});
const missingRole = z.object({
  role: z.string(),
  classes: z.readonly(z.array(z.string())),
  have: z.readonly(z.array(z.string())),
  need: counter,
  principals: z.readonly(z.array(z.string())),
  /** `required` = only hardware keys count, touched for each signature. */
  touch: z.optional(z.string()),
});
const findingView = z.object({
  file: z.string(),
  line: counter,
  col: counter,
  code: z.string(),
  rule: z.optional(z.string()),
  subject: z.optional(z.string()),
  message: z.string(),
  fix: z.string(),
});
/** A commit of main, whom it names as its author (claimed, not proven), and the release made for it (`9-1a2b3c4d`) with those who signed that. */
const commitView = z.object({
  revision: z.string(),
  author: z.optional(z.nullable(z.string())),
  release: z.optional(z.nullable(z.string())),
  signed: z.optional(z.readonly(z.array(z.string()))),
});

/** One machine as the hub sees it. `inSync` = its live root is the desired root under the release in force. */
export const machineStatus = z.object({
  name: machineId,
  reachable: z.boolean(),
  mode: z.enum(["observe", "manage"]),
  conditions: z.readonly(z.array(condition)),
  generation: counter,
  observedGeneration: counter,
  root: z.nullable(digest),
  desiredRoot: z.nullable(digest),
  inSync: z.boolean(),
  lastAppliedRevision: z.nullable(z.string()),
  lastAttemptedRevision: z.nullable(z.string()),
  release: z.nullable(counter),
  lease: z.nullable(z.object({ until: z.string() })),
  plugins: z.readonly(z.array(pluginStatus)),
  error: z.nullable(problem),
  lastSeen: z.nullable(time),
});
export type MachineStatus = z.infer<typeof machineStatus>;

/** GET /v1/status of the hub's socket. `source.target` = the revision that runs; `awaiting` = the newest commit on main waits for these roles;
 *  `refused` = it does not even read. */
export const hubStatus = z.object({
  fleet: z.nullable(z.string()),
  hub: z.object({ version: z.string(), uid: z.number(), startedAt: time, nativeCrypto: z.boolean() }),
  source: z.object({
    url: z.string(),
    head: z.nullable(z.string()),
    target: z.nullable(z.string()),
    lastVerified: z.nullable(z.string()),
    checkedAt: z.nullable(time),
    error: z.nullable(problem),
    warning: z.optional(z.nullable(problem)),
    /** Why the hub does not sign for roles that are by: hub. */
    signing: z.optional(z.nullable(problem)),
  }),
  release: z.nullable(z.object({ serial: counter, expires: time, digest, warning: z.optional(z.nullable(problem)) })),
  running: z.optional(z.nullable(commitView)),
  awaiting: z.nullable(z.extend(commitView, { problem: z.optional(problem), missing: z.readonly(z.array(missingRole)) })),
  refused: z.nullable(z.extend(commitView, { findings: z.readonly(z.array(findingView)) })),
  trusts: z.record(z.string(), roleView),
  machines: z.readonly(z.array(machineStatus)),
});
export type HubStatus = z.infer<typeof hubStatus>;

/** GET /v1/machines and GET /v1/plugins. */
export const machineList = z.object({ items: z.readonly(z.array(machineStatus)) });
export const pluginList = z.object({ items: z.readonly(z.array(z.extend(pluginStatus, { machine: machineId }))) });

/** PUT /v1/statements → 202. Outcomes: accepted, offline, waiting, none, or an error code. */
export const statementAnswer = z.object({
  digest,
  vault: z.string(),
  machines: z.readonly(z.array(z.object({ name: machineId, outcome: z.string() }))),
});
export type StatementAnswer = z.infer<typeof statementAnswer>;

/** POST /v1/reconcile → 202. No machine named = all. */
export const reconcileRequest = z.strictObject({ machines: z.optional(z.readonly(z.array(machineId))) });
