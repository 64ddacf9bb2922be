import { type Time, timeOf } from "#base/time/index.ts";
import type { PluginState } from "#lobster/contract.ts";
import type { ApplyPhase, Condition } from "#schemas/wire/index.ts";

export type Facts = {
  readonly observedGeneration: number;
  readonly phase: ApplyPhase | null;
  readonly trouble: string | null;
  readonly isObserving: boolean;
  readonly drifted: readonly string[];
  readonly fighting: readonly string[];
  readonly plugins: readonly PluginState[];
};

type Verdict = Pick<Condition, "type" | "status" | "reason" | "message">;

/** Flux's four, from what is known now. Pure. */
export function conditionsOf(facts: Facts): readonly Verdict[] {
  const stalled = stalledOf(facts);
  const reconciling = reconcilingOf(facts);
  const healthy = healthyOf(facts);
  return [readyOf(facts, stalled, reconciling, healthy), reconciling, stalled, healthy];
}

/** The verdicts with the instant each last changed its status. */
export function withSince(
  verdicts: readonly Verdict[],
  before: readonly Condition[],
  observedGeneration: number,
  nowMs: number,
): readonly Condition[] {
  return verdicts.map((verdict) => {
    const old = before.find((each) => each.type === verdict.type);
    const since: Time = old?.status === verdict.status ? old.since : timeOf(nowMs);
    return { ...verdict, observedGeneration, since };
  });
}

function readyOf(facts: Facts, ...others: readonly [Verdict, Verdict, Verdict]): Verdict {
  const [stalled, reconciling, healthy] = others;
  if (facts.phase === null) return { type: "Ready", status: "Unknown", reason: "NO_RELEASE", message: "no release was accepted yet" };
  const bad =
    stalled.status === "True" ? stalled : reconciling.status === "True" ? reconciling : healthy.status === "False" ? healthy : null;
  if (bad !== null) return { ...bad, type: "Ready", status: "False" };
  if (facts.drifted.length > 0)
    return { type: "Ready", status: "False", reason: "DRIFTED", message: `drifted: ${facts.drifted.join(", ")}` };
  const message = facts.isObserving ? "observes only: nothing is changed here" : "the accepted release is applied";
  return { type: "Ready", status: "True", reason: "Succeeded", message };
}

function reconcilingOf({ phase }: Facts): Verdict {
  switch (phase?.at) {
    case "waiting":
      return { type: "Reconciling", status: "True", reason: "Progressing", message: `waits for ${phase.missing.length} bundle(s)` };
    case "staging":
    case "checking":
      return { type: "Reconciling", status: "True", reason: "Progressing", message: phase.at };
    case "done":
    case "undone":
    case undefined:
      return { type: "Reconciling", status: "False", reason: "Succeeded", message: "nothing to do" };
    default:
      return phase satisfies never;
  }
}

function stalledOf({ phase, trouble, fighting }: Facts): Verdict {
  if (fighting.length > 0)
    return { type: "Stalled", status: "True", reason: "DRIFT_FIGHT", message: `changed again and again: ${fighting.join(", ")}` };
  if (trouble !== null)
    return { type: "Stalled", status: "True", reason: trouble, message: "the last round towards the accepted release failed" };
  if (phase?.at === "undone") return { type: "Stalled", status: "True", reason: phase.reason, message: phase.message };
  return { type: "Stalled", status: "False", reason: "Succeeded", message: "nothing is stuck" };
}

function healthyOf({ plugins }: Facts): Verdict {
  const ill = plugins.filter((plugin) => plugin.health === "unhealthy").map((plugin) => plugin.id);
  if (ill.length > 0) return { type: "Healthy", status: "False", reason: "PLUGIN_NOT_ALIVE", message: `not alive: ${ill.join(", ")}` };
  return { type: "Healthy", status: "True", reason: "Succeeded", message: `${plugins.length} plugin(s) alive or held` };
}
