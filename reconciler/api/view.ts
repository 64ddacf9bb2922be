import { toProblem } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { type KnownRelease, type Missing, releaseName, workflowName } from "#proof/release/index.ts";
import type { HubStatus, MachineStatus } from "#schemas/wire/index.ts";
import type { Hub } from "../hub/index.ts";
import type { Finding, Resolved } from "../desired/index.ts";
import type { MachineView } from "../machine/index.ts";
import { ageingOf, signedBy, trustOf } from "../revision/index.ts";

type Source = ReturnType<Hub["source"]>;

export type HubFacts = {
  readonly url: string;
  readonly version: string;
  readonly uid: number;
  readonly startedAt: Time;
  readonly nativeCrypto: boolean;
};

/** The hub's state as its API shows it. Pure over one moment's state. */
export function statusView(hub: Hub, facts: HubFacts): HubStatus {
  const source = hub.source();
  const { target, head, checkedAt, error, warning, signingError } = source;
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
      signing: signingError,
    },
    release:
      release === null
        ? null
        : { serial: release.doc.serial, expires: release.doc.expires, digest: release.digest, warning: ageing(target, checkedAt) },
    running: target === null ? null : commitView(source, target.revision, target.head, target.resolved),
    awaiting: awaitingOf(source),
    refused:
      head?.outcome.at === "refused"
        ? {
            ...commitView(source, head.revision, head.cover?.at === "covered" ? head.cover.head : null, target?.resolved ?? null),
            findings: head.outcome.findings.map(findingView),
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

function findingView({ file, line, col, code, rule, subject, message, fix }: Finding) {
  return { file, line, col, code, ...(rule === undefined ? {} : { rule }), ...(subject === undefined ? {} : { subject }), message, fix };
}

/** A commit, its author, the release made for it and who signed that, by the trust section at hand. */
function commitView({ names }: Source, revision: string, known: KnownRelease | null, resolved: Resolved | null) {
  const author = names.get(revision) ?? null;
  if (known === null) return { revision, author, release: null, signed: [] };
  const section = known.trust?.section ?? (resolved === null ? null : trustOf(resolved).section);
  return { revision, author, release: releaseName(known.release), signed: signedBy(known, section) };
}

function awaitingOf(source: Source): HubStatus["awaiting"] {
  const { head, wait } = source;
  const cover = head?.cover ?? null;
  if (head === null || cover === null || cover.at === "covered" || head.outcome.at !== "read") return null;
  const { resolved } = head.outcome;
  const commit = { ...commitView(source, head.revision, cover.head, resolved), ...(wait === null ? {} : { problem: wait }) };
  if (cover.at === "awaiting") return { ...commit, missing: cover.missing.map((item) => withRule(item, resolved)) };
  const { threshold: need, principals } = resolved.trust.roles.release;
  return { ...commit, missing: [withRule({ role: "release", classes: [], have: [], need, principals }, resolved)] };
}

function withRule(missing: Missing, { trust }: Resolved): NonNullable<HubStatus["awaiting"]>["missing"][number] {
  return { ...missing, touch: trust.roles[missing.role].touch };
}
