import { MooringError } from "#base/errors/index.ts";
import type { Judged, PolicyInput } from "./input.ts";

/** Judges a change by the policies of what is in force: the base's whenever there is a base, so that no change brings its own judge. */
export async function judgePolicies({ base, head }: PolicyInput): Promise<Judged> {
  const policies = (base ?? head).policies;
  if (policies.length > 0 || head.policies.length > 0) throw new MooringError("NOT_YET", "kind Policy");
  return { findings: [], summary: { from: base === null ? "head" : "base", judgedByBase: false, evaluated: 0, denied: 0, approvals: [] } };
}
