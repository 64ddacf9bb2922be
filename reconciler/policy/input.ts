import type { FleetPlan } from "#plan/index.ts";
import type { Time } from "#base/time/index.ts";
import type { Finding, FleetRepo } from "../desired/index.ts";

/** What policies judge: a change from `base` to `head`. */
export type PolicyInput = {
  /** What is in force; null = nothing before. */
  readonly base: FleetRepo | null;
  readonly head: FleetRepo;
  /** `planFleet(base, head)`: what the change does to machines. */
  readonly plan: PlanOfChange;
  readonly commit: CommitInfo;
  /** Also say, as notices and warnings, what policies that the head brings would object to: for people who review them. */
  readonly preview?: boolean;
};

export type PlanOfChange = Pick<FleetPlan, "steps" | "groups" | "widens" | "roles">;

/** The head's commit, as expressions read it. Author and time are what the committer wrote; only `signer` is proven. */
export type CommitInfo = {
  /** null = a worktree that nobody has committed. */
  readonly id: string | null;
  readonly author: string;
  readonly time: Time;
  readonly signed: boolean;
  /** Principal of trust/allowed_signers whose signature is good. */
  readonly signer: string | null;
};

export type Judged = {
  /** Errors for what is denied (or could not be judged), warnings for what needs approval or is worth a look, notices for audits. */
  readonly findings: readonly Finding[];
  readonly summary: PolicySummary;
};

/** cli/review shows it as it is. */
export type PolicySummary = {
  /** Whose policies judged: the base's whenever there is a base. */
  readonly from: "base" | "head";
  /** The change touches policies, trust or grants, so the base's rules decide about it and the new ones wait for the merge. */
  readonly judgedByBase: boolean;
  /** Validations times documents. */
  readonly evaluated: number;
  /** Error findings that policies gave. */
  readonly denied: number;
  /** Policies at level require-approval that did not pass: of `owners`, `count` have to sign. `signed` = who of them has, where releases were looked at. */
  readonly approvals: readonly {
    readonly policy: string;
    readonly owners: readonly string[];
    readonly count: number;
    readonly signed?: readonly string[];
  }[];
};
