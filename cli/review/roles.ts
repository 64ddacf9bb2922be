import type { AccessEffect, FleetPlan, SourceLine } from "#plan/index.ts";
import { uniqueLines } from "#plan/index.ts";
import type { Missing } from "#proof/release/index.ts";
import type { RoleName } from "#schemas/wire/index.ts";
import type { ReleaseView } from "./release.ts";
import type { RoleRow } from "./review.ts";

const ORDER: readonly RoleName[] = ["root", "release", "access", "secrets"];
const LINES = 4;

const ROLE_OF: Readonly<Record<string, RoleName>> = {
  trust: "root",
  grant: "access",
  account: "access",
  sshd: "access",
  secret: "secrets",
};

/** A row for each role that the plan asks for, or that still lacks a signature. `effects` come with the lines behind them; where none explains a role, the
 *  plan's own lines do. Pure. */
export function roleRows(
  plan: FleetPlan,
  effects: readonly (AccessEffect & { readonly because: readonly SourceLine[] })[],
  cause: (lines: readonly SourceLine[]) => readonly SourceLine[],
  view: ReleaseView,
): readonly RoleRow[] {
  const roles = ORDER.filter((role) => plan.roles.includes(role) || view.missing.some((item) => item.role === role));
  return roles.map((role) => ({
    role,
    because: (role === "access" || role === "root" ? effectLines(role, effects) : planLines(role, plan, cause)).slice(0, LINES),
    signed: view.signed(role),
    missing: missingOf(
      view.missing.filter((item) => item.role === role),
      view.needsTouch(role),
    ),
  }));
}

function effectLines(
  role: RoleName,
  effects: readonly (AccessEffect & { readonly because: readonly SourceLine[] })[],
): readonly SourceLine[] {
  const own = effects.filter(({ key }) => ROLE_OF[key.split("/", 1)[0]!] === role);
  return uniqueLines(own.flatMap(({ because }) => because));
}

function planLines(
  role: RoleName,
  { groups }: FleetPlan,
  cause: (lines: readonly SourceLine[]) => readonly SourceLine[],
): readonly SourceLine[] {
  const steps = groups.flatMap(({ steps: own }) => own.filter(({ key }) => (ROLE_OF[key.split("/", 1)[0]!] ?? "release") === role));
  return uniqueLines(steps.flatMap(({ because }) => cause(because)));
}

/** Root may be asked for twice, by the trust that is and by the one that comes: whoever either lacks. */
function missingOf(open: readonly Missing[], touch: boolean): RoleRow["missing"] {
  if (open.length === 0) return null;
  const left = open.flatMap(({ principals, have }) => principals.filter((name) => !have.includes(name)));
  return { need: Math.max(...open.map(({ need, have }) => need - have.length)), anyOf: [...new Set(left)], touch };
}
