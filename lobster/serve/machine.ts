import type { BridgeClient } from "#bridge/client/index.ts";
import { type Digest, fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { msOf, sleep, type Time, timeOf } from "#base/time/index.ts";
import type { UnpackCommand } from "#bundle/read/index.ts";
import { composeAttestation } from "#proof/attest/index.ts";
import { indexOf } from "#proof/root/index.ts";
import { checkDesired } from "#proof/release/index.ts";
import { planMachine } from "#plan/index.ts";
import type {
  AgentStatus,
  ApplyPhase,
  ApplyRequest,
  BindingsAnswer,
  Bytes64,
  Condition,
  Hello,
  PluginId,
  SignedAttestation,
  SignedLease,
  SignedStatement,
  Step,
} from "#schemas/wire/index.ts";
import type { bindingsRequest } from "#schemas/wire/index.ts";
import type * as z from "zod/mini";
import { applyId, checkView, type Converger, type Core, identityOf, makeLane, type PackSpool, settle, takePack } from "../apply/index.ts";
import type { EpochGate } from "../epoch/index.ts";
import type { Level, Seen } from "../live/index.ts";
import type { Enforcer } from "../watch/index.ts";
import { auditSize } from "./audit.ts";
import { conditionsOf, withSince } from "./conditions.ts";

export type MachineParts = {
  readonly core: Core;
  readonly epoch: EpochGate;
  readonly converger: Converger;
  readonly enforcer: Enforcer;
  readonly spool: PackSpool;
  readonly bridge: () => BridgeClient;
  readonly unpack: UnpackCommand;
  readonly floor: () => Time;
  readonly lookSoon: () => void;
  readonly version: string;
  readonly bootId: string;
};

/** What routes ask of the machine: each verb of the wire once, without HTTP. */
export type Machine = ReturnType<typeof makeMachine>;

const SOON_MS = 1_000; // an answer on the control channel comes within 2 s (WIRE §1)

export const FEATURES = ["plans", "packs", "bindings", "lease", "statements.revoke", "events", "logs", "audit", "attest"] as const;

export function makeMachine(parts: MachineParts) {
  const { core, converger, epoch } = parts;
  const accepting = makeLane();
  const packing = makeLane();
  let conditions: readonly Condition[] = [];

  const apply = async (id: string, request: ApplyRequest): Promise<void> => {
    if (applyId(request) !== id) throw new MooringError("REQUEST_MALFORMED", "the apply's id is not the digest of its body");
    epoch.refuseLower(request.epoch);
    if (core.accepted.current()?.id === id) return;
    const seen = await core.observer.observe(core.generations.current(), "stat");
    checkView(request, { root: seen.answer.root, generation: core.generations.current()?.record.n ?? 0 });
    checkHeld(request);
    await accept(request);
    parts.lookSoon(); // the release may say anew what is corrected here
  };
  const checkHeld = (request: ApplyRequest): void => {
    const accepted = core.accepted.current();
    const isSame = accepted?.request.release.head.bytes === request.release.head.bytes; // a newer one may lift, renew or burn serials
    const [hold] = isSame && accepted.root === request.root ? core.holds.all() : [];
    if (hold !== undefined)
      throw new MooringError("APPLY_HELD", `plugin ${hold.plugin} is held: this release did not come up here`, { why: hold.reason });
  };
  const accept = async (request: ApplyRequest): Promise<void> => {
    converger.supersede();
    try {
      await core.accepted.take(request, parts.floor());
    } catch (err) {
      if (err instanceof MooringError)
        await core.journal.append("release.refused", { code: err.code, revision: request.revision, root: request.root });
      throw err;
    }
    converger.kick(); // whatever fails below, a round tries again
    await settle(core);
  };
  const phaseOf = (id: string): ApplyPhase => {
    const phase = converger.phaseOf(id);
    if (phase === null) throw new MooringError("APPLY_UNKNOWN", "no apply of this id");
    return phase;
  };

  return {
    hello: (): Hello => helloOf(parts),
    attest: async (nonce: Bytes64): Promise<SignedAttestation> => {
      const { fleet, machine, incarnation, generation, revision, epoch: at, release } = helloOf(parts);
      const treeSize = await auditSize(`${core.layout.bridge}/log`);
      const bytes = composeAttestation({ fleet, machine, nonce, incarnation, generation, revision, epoch: at, release, treeSize });
      return { bytes: toBase64(bytes) as Bytes64, sig: toBase64(await parts.bridge().sign(bytes)) as Bytes64 };
    },
    status: (): AgentStatus => {
      conditions = withSince(conditionsOf(factsOf(parts)), conditions, converger.observedGeneration(), core.clock());
      const plugins = core.supervisor.states().map((state) => ({ ...state, since: timeOf(state.since) }));
      return { conditions, plugins, held: core.holds.all()[0]?.plugin ?? null };
    },
    live: async (fresh: Level | null): Promise<Seen> => {
      if (fresh === null) return core.observer.last();
      const seen = await core.observer.observe(core.generations.current(), fresh);
      if (seen.drifted.size > 0) parts.lookSoon();
      return seen;
    },
    raiseEpoch: async (next: number, hub: string | null): Promise<number> => {
      if ((await epoch.admit(next, hub)).raised) await core.journal.append("epoch.raised", { epoch: next, hub });
      return epoch.current();
    },
    plan: (desired: string): readonly Step[] => {
      const checked = checkDesired(fromBase64(desired, "desired"), core.pins.fleet, core.pins.machine);
      const { answer } = core.observer.last();
      const generation = core.generations.current();
      const wanted = new Map<string, Digest>(generation === null ? [] : indexOf(generation.desired.sections));
      const drifted = new Map(
        Object.keys(answer.drifted).flatMap((key) => (wanted.has(key) ? [[key, wanted.get(key) as Digest] as const] : [])),
      );
      return planMachine({ index: checked.index, sections: checked.desired.sections }, { index: answer.index, drifted });
    },
    apply: async (id: string, request: ApplyRequest): Promise<ApplyPhase> => {
      await accepting(() => apply(id, request));
      const until = performance.now() + SOON_MS;
      while (phaseOf(id).at === "staging" && performance.now() < until) await sleep(5);
      return phaseOf(id);
    },
    phaseOf,
    cancel: (id: string): Promise<ApplyPhase> =>
      accepting(async () => {
        const phase = phaseOf(id);
        if (core.accepted.current()?.id !== id || !["waiting", "staging", "undone"].includes(phase.at))
          throw new MooringError("APPLY_COMMITTED", "the apply has switched, or has ended");
        await core.accepted.cancel();
        converger.kick();
        await converger.idle();
        return phaseOf(id);
      }),
    missing: async (digests: readonly Digest[]): Promise<readonly Digest[]> => {
      const missing: Digest[] = [];
      for (const digest of digests) if ((await core.content.intact(digest)) === null) missing.push(digest);
      return missing;
    },
    spool: parts.spool,
    takePack: (digest: Digest): Promise<readonly Digest[]> =>
      packing(async () => {
        try {
          const accepted = core.accepted.current();
          if (accepted === null) throw new MooringError("PACK_UNWANTED", "no release was accepted yet, so no bundle is asked for");
          const unwrap = (enc: Uint8Array, aad: Uint8Array, ct: Uint8Array): Promise<Uint8Array> => parts.bridge().unwrap({ enc, aad, ct });
          const bytes = await parts.spool.read(digest); // one pack at a time is in memory
          const taken = await takePack(bytes, accepted.desired, { content: core.content, unwrap, unpack: parts.unpack });
          await parts.spool.done(digest);
          converger.kick();
          return taken;
        } catch (err) {
          await parts.spool.drop(digest);
          throw err;
        }
      }),
    bindings: async ({ envelopes, tombstones }: z.infer<typeof bindingsRequest>): Promise<BindingsAnswer> => {
      const answer = await parts.bridge().bindings(envelopes, tombstones);
      const count = (outcome: string): number => answer.items.filter((item) => item.outcome === outcome).length;
      if (count("accepted") + count("refused") > 0)
        await core.journal.append("bindings.changed", { accepted: count("accepted"), refused: count("refused") });
      return answer;
    },
    lease: (lease: SignedLease): Promise<void> => parts.bridge().lease(lease),
    state: (item: SignedStatement): Promise<{ readonly digest: Digest }> =>
      accepting(async () => {
        const accepted = core.accepted.current();
        if (accepted === null)
          throw new MooringError("STATEMENT_UNPROVEN", "a statement before the first release", {
            why: "no trust section was accepted yet",
          });
        const { digest, statement, isNew } = await core.statements.take(item, {
          now: parts.floor(),
          trust: accepted.trust,
          serial: accepted.head.serial,
        });
        converger.kick(); // as above
        await settle(core);
        const target = statement.target === null ? null : `${statement.target.kind} ${statement.target.name}`;
        if (isNew) await core.journal.append("statement.accepted", { digest, action: statement.action, target });
        return { digest };
      }),
    setPlugin: async (id: PluginId, state: "running" | "stopped"): Promise<void> => {
      if (!core.supervisor.states().some((each) => each.id === id))
        throw new MooringError("PLUGIN_UNKNOWN", `plugin ${id.slice(0, 80)} is not in the current generation`);
      if (state === "stopped") {
        core.stopped.add(id);
        return core.supervisor.hold(id, "stopped by request");
      }
      if (core.statements.isPluginRevoked(id)) throw new MooringError("PLUGIN_REVOKED", `plugin ${id} is revoked`);
      core.stopped.delete(id);
      await core.supervisor.release(id);
    },
    journal: core.journal,
    supervisor: core.supervisor,
    auditFolder: `${core.layout.bridge}/log`,
  };
}

function factsOf({ core, converger, enforcer }: MachineParts) {
  const accepted = core.accepted.current();
  return {
    observedGeneration: converger.observedGeneration(),
    phase: accepted === null ? null : converger.phaseOf(accepted.id),
    trouble: converger.trouble(),
    isObserving: accepted !== null && identityOf(accepted.desired).mode === "observe",
    drifted: [...core.observer.last().drifted.keys()],
    fighting: enforcer.fighting(),
    plugins: core.supervisor.states(),
  };
}

function helloOf({ core, converger, epoch, version, bootId }: MachineParts): Hello {
  const accepted = core.accepted.current();
  const { fleet, machine, incarnation, trust } = core.pins;
  const release =
    accepted === null
      ? null
      : { serial: accepted.stored.serial, digest: accepted.stored.digest, secretsSerial: accepted.stored.secrets?.serial ?? null };
  return {
    fleet,
    machine,
    incarnation,
    bootId,
    agent: version,
    wire: [1],
    features: FEATURES,
    epoch: epoch.current(),
    generation: core.generations.current()?.record.n ?? 0,
    observedGeneration: converger.observedGeneration(),
    revision: accepted?.request.revision ?? null,
    release,
    trust: accepted?.stored.trust.leaf ?? trust,
    root: core.observer.last().answer.root,
    stream: { id: core.journal.stream, ...core.journal.range() },
    now: timeOf(core.clock()),
  };
}

/** The time floor: never before the latest signed time that was seen, carried on by the monotonic clock, so a clock set back extends nothing. */
export function makeFloor(clock: () => number, monotonicMs: () => number, latestSigned: () => Time | null): () => Time {
  let seen: { readonly signed: Time; readonly atMs: number } | null = null;
  return () => {
    const signed = latestSigned();
    if (signed !== null && (seen === null || signed > seen.signed)) seen = { signed, atMs: monotonicMs() };
    const carried = seen === null ? Number.NEGATIVE_INFINITY : msOf(seen.signed) + (monotonicMs() - seen.atMs);
    return timeOf(Math.max(clock(), carried));
  };
}
