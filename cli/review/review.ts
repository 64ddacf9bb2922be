import type { FleetPlan, RoleName, SourceLine } from "#plan/index.ts";
import type { Finding } from "#reconciler/desired/index.ts";
import type { PolicySummary } from "#reconciler/policy/index.ts";
import type { MachineId } from "#schemas/wire/index.ts";

/** What a pull request asks reviewers to agree to, whole: every output (table, markdown, annotations, SARIF, JSON) is made of one of these. Plain data;
 *  equal inputs give equal reviews. */
export type Review = {
  readonly v: 1;
  readonly fleet: string;
  /** What is compared: a commit id, or "worktree"; base null = nothing before. */
  readonly base: string | null;
  readonly head: string;
  /** Number of the pull request, where one was named (`--pr`). */
  readonly pr: number | null;
  readonly plan: FleetPlan;
  /** Gains first, then losses. */
  readonly access: readonly AccessChange[];
  /** Machines that a change touches, by the plugin's rollout partitions; "" = machines in no named partition. */
  readonly blast: readonly Blast[];
  /** Objects that leave the fleet repo, and where they were. */
  readonly deletions: readonly Deletion[];
  readonly renames: readonly Rename[];
  /** Schema, references, policies and guards: errors, then warnings, then notices, each by place. */
  readonly findings: readonly Finding[];
  readonly policies: PolicySummary;
  /** Who signs what; empty when nothing has to be signed. */
  readonly roles: readonly RoleRow[];
  readonly release: ReleaseState;
  /** What the hub last saw of the machines, where it was asked (`--live`). */
  readonly live: LiveState | null;
};

/** A sentence whose subject and object are exact: "plugin mail-triage on 12 machines gains secret://team/db by fd". */
export type AccessChange = {
  readonly verb: "gains" | "loses" | "changes";
  /** "plugin mail-triage", "account admin", "OpenClaw's gateway", "sshd". */
  readonly who: string;
  /** "secret://team/db", "2 login keys" … */
  readonly what: string;
  /** "by egress to api.openai.com, until 2027-01-01"; "" when there is nothing to add. */
  readonly how: string;
  /** Empty where it is about the whole fleet: whom it trusts. */
  readonly machines: readonly MachineId[];
  readonly because: readonly SourceLine[];
};

export type Blast = { readonly plugin: string; readonly partition: string; readonly machines: number; readonly of: number };
export type Deletion = { readonly kind: string; readonly name: string; readonly at: SourceLine; readonly machines: number };
export type Rename = { readonly kind: string; readonly from: string; readonly to: string; readonly at: SourceLine };

export type { PolicySummary };

export type RoleRow = {
  readonly role: RoleName;
  readonly because: readonly SourceLine[];
  readonly signed: readonly string[];
  /** How many more signatures, of whom; `touch` = with a hardware key. null = complete. */
  readonly missing: { readonly need: number; readonly anyOf: readonly string[]; readonly touch: boolean } | null;
};

/** `covered` = a complete release covers the head; `open` = signatures are missing; `none` = nothing to sign. */
export type ReleaseState = {
  readonly at: "covered" | "open" | "none";
  readonly serial: number | null;
  /** Release that machines stay on until then; null = none yet. */
  readonly inForce: number | null;
  /** Signed by principals whom the pinned trust root proves; false = by the base's own word. */
  readonly verified: boolean;
};

export type LiveState = {
  readonly observedAt: string;
  readonly inSync: number;
  readonly drifted: readonly MachineId[];
  readonly offline: readonly MachineId[];
};

/** The two checks of a pull request. `mooring/plan` is red only for errors; `mooring/roles` waits and is never red. */
export type CommitStatus = {
  readonly context: "mooring/plan" | "mooring/roles";
  readonly state: "success" | "failure" | "pending";
  readonly description: string;
};
