import type { Problem } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import type { AgentStatus, Condition } from "#schemas/wire/index.ts";

/** What is known of a machine after a run. `phase`: `working` while a run goes on. */
export type Known = {
  readonly phase: "idle" | "working";
  readonly error: Problem | null;
  readonly inSync: boolean;
  readonly drifted: readonly string[];
  readonly agent: AgentStatus | null;
  readonly generation: number;
};

type Verdict = Pick<Condition, "type" | "status" | "reason" | "message">;

/** Flux's conditions of one machine as the hub sees it, with its rules: Stalled or Reconciling true means Ready is not; never both; a failure never
 *  reads as success. Pure. */
export function conditionsOf(known: Known, before: readonly Condition[], now: Time): readonly Condition[] {
  const verdicts = [readyOf(known), reconcilingOf(known), stalledOf(known), healthyOf(known)];
  return verdicts.map((verdict) => {
    const old = before.find(({ type }) => type === verdict.type);
    return { ...verdict, observedGeneration: known.generation, since: old?.status === verdict.status ? old.since : now };
  });
}

function readyOf(known: Known): Verdict {
  const { error, phase, inSync, drifted } = known;
  const health = healthyOf(known);
  if (error !== null) return { type: "Ready", status: "False", reason: error.code, message: error.message };
  if (phase === "working") return { type: "Ready", status: "Unknown", reason: "Progressing", message: "a run goes on" };
  if (drifted.length > 0) return { type: "Ready", status: "False", reason: "DRIFTED", message: `drifted: ${drifted.join(", ")}` };
  if (!inSync) return { type: "Ready", status: "Unknown", reason: "Progressing", message: "not compared yet" };
  if (health.status !== "True") return { ...health, type: "Ready" };
  return { type: "Ready", status: "True", reason: "Succeeded", message: "the released state runs" };
}

function reconcilingOf({ error, phase }: Known): Verdict {
  const goesOn = phase === "working" || error?.disposition === "retry";
  if (isStalled(error) || !goesOn) return { type: "Reconciling", status: "False", reason: "Succeeded", message: "nothing to do" };
  return { type: "Reconciling", status: "True", reason: "Progressing", message: error === null ? "a run goes on" : "it is tried again" };
}

function stalledOf({ error }: Known): Verdict {
  if (error === null || !isStalled(error)) return { type: "Stalled", status: "False", reason: "Succeeded", message: "nothing is stuck" };
  return { type: "Stalled", status: "True", reason: error.code, message: error.message };
}

function healthyOf({ agent }: Known): Verdict {
  if (agent === null) return { type: "Healthy", status: "Unknown", reason: "Progressing", message: "the machine was not asked yet" };
  const ill = agent.plugins.filter(({ health }) => health === "unhealthy").map(({ id }) => id);
  if (ill.length > 0) return { type: "Healthy", status: "False", reason: "PLUGIN_UNHEALTHY", message: `not alive: ${ill.join(", ")}` };
  return { type: "Healthy", status: "True", reason: "Succeeded", message: `${agent.plugins.length} plugin(s)` };
}

function isStalled(error: Problem | null): boolean {
  return error !== null && (error.disposition === "stalled" || error.disposition === "refused");
}
