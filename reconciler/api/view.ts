import { toProblem } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { workflowName } from "#proof/release/index.ts";
import type { HubStatus, MachineStatus } from "#schemas/wire/index.ts";
import type { Hub } from "../hub/index.ts";
import type { MachineView } from "../machine/index.ts";
import { ageingOf } from "../revision/index.ts";

export type HubFacts = {
  readonly url: string;
  readonly version: string;
  readonly uid: number;
  readonly startedAt: Time;
  readonly nativeCrypto: boolean;
};

/** The hub's state as its API shows it. Pure over one moment's state. */
export function statusView(hub: Hub, facts: HubFacts): HubStatus {
  const { target, head, checkedAt, error, warning } = hub.source();
  const release = target?.head.release ?? null;
  return {
    fleet: target?.resolved.fleet ?? null,
    hub: { version: facts.version, uid: facts.uid, startedAt: facts.startedAt, nativeCrypto: facts.nativeCrypto },
    source: {
      url: facts.url,
      head: head?.revision ?? null,
      target: target?.revision ?? null,
      lastVerified: target?.revision ?? null,
      checkedAt,
      error,
      warning,
    },
    release:
      release === null
        ? null
        : { serial: release.doc.serial, expires: release.doc.expires, digest: release.digest, warning: ageing(target, checkedAt) },
    awaiting: awaitingOf(head),
    refused:
      head?.outcome.at === "refused"
        ? {
            revision: head.revision,
            findings: head.outcome.findings.map(({ file, line, col, code, message, fix }) => ({ file, line, col, code, message, fix })),
          }
        : null,
    trusts: Object.fromEntries(
      Object.entries(target?.resolved.trust.roles ?? {}).map(([role, { by, principals, threshold, touch, identity }]) => [
        role,
        { by, principals: identity === undefined ? principals : [workflowName(identity)], threshold, touch },
      ]),
    ),
    machines: machineViews(hub),
  };
}

function ageing(target: ReturnType<Hub["source"]>["target"], now: Time | null): HubStatus["source"]["error"] {
  const warning = target === null || now === null ? null : ageingOf(target.head, target.secrets, now);
  return warning === null ? null : toProblem(warning);
}

/** Every machine of the target, whether or not it was reached yet. */
export function machineViews(hub: Hub): readonly MachineStatus[] {
  return hub.machines().flatMap(({ view }) => (view === null ? [] : [machineView(view)]));
}

function machineView({ hello, agent, error, ...view }: MachineView): MachineStatus {
  return {
    name: view.name,
    reachable: view.reachable,
    mode: view.mode,
    conditions: view.conditions,
    generation: hello?.generation ?? 0,
    observedGeneration: hello?.observedGeneration ?? 0,
    root: hello?.root ?? null,
    desiredRoot: view.desiredRoot,
    inSync: view.inSync,
    lastAppliedRevision: view.lastAppliedRevision,
    lastAttemptedRevision: view.lastAttemptedRevision,
    release: hello?.release?.serial ?? null,
    lease: view.leaseUntil === null ? null : { until: view.leaseUntil },
    plugins: agent?.plugins ?? [],
    error,
    lastSeen: view.lastSeen,
  };
}

function awaitingOf(head: ReturnType<Hub["source"]>["head"]): HubStatus["awaiting"] {
  const cover = head?.cover ?? null;
  if (head === null || cover === null || cover.at === "covered") return null;
  if (cover.at === "expired") {
    const rule = head.outcome.at === "read" ? head.outcome.resolved.trust.roles.release : null;
    const { threshold: need, principals } = rule ?? { threshold: 1, principals: [] };
    return { revision: head.revision, missing: [{ role: "release", classes: [], have: [], need, principals }] };
  }
  return { revision: head.revision, missing: cover.missing };
}
