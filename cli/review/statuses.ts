import { hasErrors } from "#reconciler/desired/index.ts";
import type { CommitStatus, Review } from "./review.ts";

// The longest that GitHub takes; others take more.
const MAX_DESCRIPTION = 140;

/** The two checks of a pull request. `mooring/plan` is red for errors alone, `mooring/roles` waits and is never red. Pure. */
export function statusesOf(review: Review): readonly CommitStatus[] {
  return [planStatus(review), rolesStatus(review)];
}

function planStatus({ plan, findings }: Review): CommitStatus {
  const errors = findings.filter(({ level }) => level === "error").length;
  const warnings = findings.filter(({ level }) => level === "warning").length;
  const found = [...(errors > 0 ? [count(errors, "error")] : []), ...(warnings > 0 ? [count(warnings, "warning")] : [])];
  const description = [count(plan.steps.size, "machine"), ...found].join(" · ");
  return { context: "mooring/plan", state: errors > 0 ? "failure" : "success", description: cut(description) };
}

function rolesStatus(review: Review): CommitStatus {
  const machines = count(review.plan.steps.size, "machine");
  const { at, serial } = review.release;
  if (hasErrors(review.findings))
    return { context: "mooring/roles", state: "pending", description: cut(`${machines} · errors come first`) };
  const asking = askingPolicies(review).map((policy) => `policy ${policy}`);
  if (at !== "open" && asking.length > 0)
    return { context: "mooring/roles", state: "pending", description: cut(`${machines} · waiting for ${asking.join(", ")}`) };
  if (at === "none") return { context: "mooring/roles", state: "success", description: "nothing to sign" };
  const covered = serial === null ? machines : `${machines} · release ${serial} covers it`;
  if (at === "covered") return { context: "mooring/roles", state: "success", description: cut(covered) };
  return {
    context: "mooring/roles",
    state: "pending",
    description: cut(`${machines} · waiting for ${[count(waitingFor(review), "signature"), ...asking].join(", ")}`),
  };
}

/** Signatures that are missing over all roles; one document may carry several roles, so people may be fewer. Pure. */
export function waitingFor({ roles }: Pick<Review, "roles">): number {
  return roles.reduce((sum, { missing }) => sum + (missing?.need ?? 0), 0);
}

/** Policies whose owners have not approved yet: the hub takes no release of the change before. Pure. */
function askingPolicies({ policies }: Pick<Review, "policies">): readonly string[] {
  return policies.approvals.filter(({ count: needed, signed = [] }) => signed.length < needed).map(({ policy }) => policy);
}

/** What to do next, a line each; empty where nothing waits. Pure. */
export function footerOf(review: Review): readonly string[] {
  if ((review.release.at !== "open" && askingPolicies(review).length === 0) || hasErrors(review.findings)) return [];
  const { inForce } = review.release;
  const what = review.pr ?? (review.head === "worktree" ? null : review.head);
  return [
    what === null ? "Commit and push it, then sign: mooring approve <branch>" : `Sign: mooring approve ${what}`,
    inForce === null ? "Merging first is safe: nothing is released yet" : `Merging first is safe: machines stay on release ${inForce}`,
  ];
}

/** 0 = no changes, 2 = changes, 3 = a policy denies them, 1 = an error. Pure. */
export function exitCodeOf({ plan, access, findings, policies }: Review): 0 | 1 | 2 | 3 {
  const errors = findings.filter(({ level }) => level === "error").length;
  if (errors > policies.denied) return 1;
  if (policies.denied > 0) return 3;
  return plan.steps.size > 0 || plan.hub.length > 0 || access.length > 0 ? 2 : 0;
}

/** Of `--check roles`: 0 when a complete release covers the head or nothing has to be signed, and no policy waits for its owners; 2 while it waits, 1 for
 *  errors. Pure. */
export function rolesExitCode(review: Review): 0 | 1 | 2 {
  if (hasErrors(review.findings)) return 1;
  return review.release.at === "open" || askingPolicies(review).length > 0 ? 2 : 0;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function cut(text: string): string {
  return text.length > MAX_DESCRIPTION ? `${text.slice(0, MAX_DESCRIPTION - 1)}…` : text;
}
