import type { AccessEffect, FleetPlan, SourceLine } from "#plan/index.ts";
import { ROLE_OF, ROLE_ORDER, uniqueLines } from "#plan/index.ts";
import type { Missing } from "#proof/release/index.ts";
import type { RoleName } from "#schemas/wire/index.ts";
import type { ReleaseView } from "./release.ts";
import type { RoleRow } from "./review.ts";

const LINES = 4;

type Explained = AccessEffect & { readonly because: readonly SourceLine[] };
type Cause = (lines: readonly SourceLine[]) => readonly SourceLine[] | null;

/** A row for each role that the plan asks for, or that still lacks a signature. `effects` come with the lines behind them; `cause` finds the changed ones
 *  among a step's. Pure. */
export function roleRows(plan: FleetPlan, effects: readonly Explained[], cause: Cause, view: ReleaseView): readonly RoleRow[] {
  const roles = ROLE_ORDER.filter((role) => plan.roles.includes(role) || view.missing.some((item) => item.role === role));
  return roles.map((role) => ({
    role,
    because: becauseOfRole(role, plan, effects, cause).slice(0, LINES),
    signed: view.signed(role),
    missing: missingOf(
      view.missing.filter((item) => item.role === role),
      view.needsTouch(role),
    ),
  }));
}

/** The lines that the change writes, wherever they say why; only where it writes none of them, those that stand behind the steps. */
function becauseOfRole(role: RoleName, { groups }: FleetPlan, effects: readonly Explained[], cause: Cause): readonly SourceLine[] {
  const isOfRole = (key: string): boolean => (ROLE_OF[key.split("/", 1)[0]!] ?? "release") === role;
  const told = effects.filter(({ key }) => isOfRole(key)).flatMap(({ because }) => because);
  const steps = groups.flatMap(({ steps: own }) => own.filter(({ key }) => isOfRole(key)));
  const causes = uniqueLines([...told, ...steps.flatMap(({ because }) => cause(because) ?? [])]);
  if (causes.length > 0) return causes;
  // The release role signs every release, whatever it is about.
  return uniqueLines(
    role === "release" && steps.length === 0 ? effects.flatMap(({ because }) => because) : steps.flatMap(({ because }) => because),
  );
}

/** Root may be asked for twice, by the trust that is and by the one that comes: whoever either lacks. */
function missingOf(open: readonly Missing[], touch: boolean): RoleRow["missing"] {
  if (open.length === 0) return null;
  const left = open.flatMap(({ principals, have }) => principals.filter((name) => !have.includes(name)));
  return { need: Math.max(...open.map(({ need, have }) => need - have.length)), anyOf: [...new Set(left)], touch };
}
