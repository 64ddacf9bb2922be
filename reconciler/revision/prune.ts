import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { verifyStatement } from "#proof/release/index.ts";
import { type Finding, guardPrune, type Resolved } from "../desired/index.ts";
import type { Branch } from "./branch.ts";
import { trustOf } from "./cover.ts";
import type { Outcome } from "./outcome.ts";

type ReadOutcome = Outcome & { readonly at: "read" };

/** Why the hub does not go from `base` to `next` although it is released: too much would go, and nobody has confirmed it. Pure. */
export function pruneRefusals(base: ReadOutcome, next: ReadOutcome, branch: Branch, serial: number, now: Time): readonly Finding[] {
  const found = guardPrune(base, next, { confirmedBy: confirmedBy(base.resolved, branch, serial, now) });
  return found.filter(({ level }) => level === "error");
}

/** Principals whose `prune` statement is in force under the trust of what runs: what goes was meant. Anybody may push to the branch, so a statement that
 *  proves nothing is passed over. Pure. */
export function confirmedBy(resolved: Resolved, { statements }: Pick<Branch, "statements">, serial: number, now: Time): readonly string[] {
  const trust = trustOf(resolved).section;
  const signers = statements.flatMap((item) => {
    try {
      const { statement, signers: names } = verifyStatement(item, { fleet: resolved.fleet, now, trust, serial: Math.max(1, serial) });
      return statement.action === "prune" ? names : [];
    } catch (err) {
      if (err instanceof MooringError) return [];
      throw err;
    }
  });
  return [...new Set(signers)];
}
