import { canon, canonBytes, type Digest, digestOf, readCanonical, toBase64 } from "#base/canonical/index.ts";
import { hasCode, MooringError } from "#base/errors/index.ts";
import { type Clock, msOf, sleep } from "#base/time/index.ts";
import { sealPack } from "#bundle/sealed/index.ts";
import { buildProof, type Holds } from "#proof/release/index.ts";
import {
  type AgentStatus,
  type ApplyRequest,
  type Bytes64,
  type Hello,
  type Lease,
  lease,
  type MachineId,
  type ReleaseProof,
  type Revision,
  type SealAnswer,
  type SignedLease,
} from "#schemas/wire/index.ts";
import type { BundleStore } from "../bundles/index.ts";
import { trustOf } from "../revision/index.ts";
import type { VaultClient } from "../secrets/index.ts";
import type { BindingBook } from "./binding-book.ts";
import type { Session } from "./session.ts";
import { type FleetTarget, holdsOf, type MachineTarget } from "./target.ts";

export type StepContext = {
  readonly session: Session;
  readonly fleet: FleetTarget;
  readonly machine: MachineTarget;
  readonly bundles: BundleStore;
  readonly vault: VaultClient | null;
  readonly bindings: BindingBook;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

const APPLY_MS = 120_000;

/** Whether the machine has to be told: it runs another release, or it is not at the desired root for another reason than drift, which it corrects by
 *  itself. */
export async function needsApply({ session, fleet, machine }: StepContext, hello: Hello): Promise<boolean> {
  const isSameRelease =
    hello.release?.digest === fleet.head.release.digest && hello.release.secretsSerial === (fleet.secrets?.doc.serial ?? null);
  if (hello.release !== null && hello.release.serial > fleet.head.release.doc.serial)
    throw new MooringError("REPO_ROLLED_BACK", `${machine.name} has accepted release ${hello.release.serial}`, {
      why: `the newest complete one in the repo is ${fleet.head.release.doc.serial}`,
    });
  const needsSecrets = machine.secrets.length > 0;
  const isReleased = isSameRelease || (hello.release?.digest === fleet.head.release.digest && !needsSecrets);
  if (!isReleased) return true;
  if (hello.root === machine.root || machine.mode === "observe") return false;
  const live = await session.client.live([machine.root]);
  return live !== null && !isOnlyDrift(live.index, live.drifted, machine.index);
}

/** Whether an index differs from the wanted one only where the machine itself reports drift. Pure. */
export function isOnlyDrift(
  live: readonly (readonly [string, string])[],
  drifted: Readonly<Record<string, unknown>>,
  want: readonly (readonly [string, string])[],
): boolean {
  const wanted = new Map(want);
  return (
    live.length === want.length && live.every(([key, leaf]) => wanted.get(key) === leaf || (wanted.has(key) && Object.hasOwn(drifted, key)))
  );
}

/** The proof of this machine's desired state for a verifier that stands on `holds`. */
export function proofFor(fleet: FleetTarget, name: MachineId, holds: Holds): ReleaseProof {
  return buildProof({
    machine: name,
    head: fleet.head,
    releases: fleet.branch.releases,
    trees: fleet.roots.trees,
    holds,
    secrets: fleet.secrets,
    sections: [trustOf(fleet.resolved)],
  });
}

/** Sends the desired state and what it lacks; resolves with the generation that runs it. `accepted` is called once the machine has taken the release
 *  and before it gets bundles: its plugins then find their secrets bound. Throws what the agent refuses with, APPLY_UNDONE when it went back. */
export async function applyTo(context: StepContext, hello: Hello, accepted: () => Promise<unknown>): Promise<number> {
  const { session, fleet, machine, signal } = context;
  const request: ApplyRequest = {
    v: 1,
    epoch: session.epoch,
    revision: fleet.revision as Revision,
    root: machine.root,
    ifRoot: hello.root,
    ifGeneration: hello.generation,
    desired: toBase64(machine.desired) as Bytes64,
    release: proofFor(fleet, machine.name, holdsOf(hello)),
  };
  const id = digestOf(canonBytes(request)).slice("sha256:".length);
  let phase = await session.client.apply(id, request);
  await accepted();
  const sent = new Set<string>();
  const until = context.clock() + APPLY_MS;
  for (let waitMs = 10; ; waitMs = Math.min(500, waitMs * 2)) {
    if (phase.at === "done") return phase.generation;
    if (phase.at === "undone") throw new MooringError("APPLY_UNDONE", `${machine.name}: ${phase.message}`, { why: phase.reason });
    if (context.clock() > until || signal.aborted)
      throw new MooringError("DEADLINE_PASSED", `${machine.name}: the apply is still ${phase.at}`);
    if (phase.at === "waiting" && (await sendMissing(context, phase.missing, sent))) waitMs = 10;
    else await sleep(waitMs, signal);
    phase = await session.client.phase(id);
  }
}

/** Packs what the machine lacks, sealed to it; false when all of it was sent already. */
async function sendMissing(
  { session, fleet, machine, bundles, signal }: StepContext,
  missing: readonly Digest[],
  sent: Set<string>,
): Promise<boolean> {
  const wanted = machine.plugins.filter((plugin) => missing.includes(plugin.bundle) && !sent.has(plugin.bundle));
  if (wanted.length === 0) return false;
  const blobs = [];
  for (const { name, version, serial, bundle, signer } of wanted) {
    const from = fleet.resolved.hubSettings.bundles.get(bundle);
    const url =
      from !== undefined && "url" in from.source && from.source.url !== undefined ? from.source.url.replaceAll("{version}", version) : null;
    blobs.push(await bundles.get({ id: name, version, serial, bundle, signer }, url, signal));
  }
  const pack = sealPack({ fleet: fleet.resolved.fleet, machine: machine.name, kx: machine.kx }, blobs);
  await session.client.putPack(pack.digest, pack.bytes, session.epoch);
  for (const { bundle } of wanted) sent.add(bundle);
  return true;
}

/** Envelopes and the lease: sealed by the vault when what is granted changed, the lease again at half its life. Gives back when to look again. */
export async function bind(context: StepContext): Promise<{ readonly leaseUntil: string | null; readonly againInMs: number | null }> {
  const { machine, fleet, session, vault, bindings, clock } = context;
  if (vault === null || machine.grants.length === 0) return { leaseUntil: null, againInMs: null };
  const wanted = digestOf(
    canonBytes({
      grants: machine.grants,
      plugins: machine.plugins,
      secrets: machine.secrets,
      kx: machine.kx,
      vault: fleet.resolved.trust.vaultKeys,
    }),
  );
  const known = await bindings.read(machine.name);
  if (known?.wanted === wanted && clock() < known.renewAt) return { leaseUntil: known.leaseUntil, againInMs: known.renewAt - clock() };
  const answer = await sealed(context, vault);
  const result = await session.client.bindings(
    answer.envelopes.map(({ envelope }) => envelope),
    [],
    session.epoch,
  );
  const refused = [...result.items.filter(({ outcome }) => outcome === "refused"), ...answer.refused];
  if (answer.lease !== null) await session.client.lease(answer.lease, session.epoch);
  if (refused.length > 0)
    throw new MooringError("BINDING_REFUSED", `${machine.name}: grant ${refused[0]?.grant ?? ""}`, { why: refused[0]?.code ?? "refused" });
  if (answer.lease === null) return { leaseUntil: null, againInMs: null };
  const { notBefore, notAfter } = leaseIn(answer.lease);
  const renewAt = clock() + (msOf(notAfter) - Math.max(msOf(notBefore), clock())) / 2;
  await bindings.write(machine.name, { wanted, leaseUntil: notAfter, renewAt });
  return { leaseUntil: notAfter, againInMs: renewAt - clock() };
}

function leaseIn(signed: SignedLease): Lease {
  const parsed = lease.safeParse(readCanonical(Buffer.from(signed.bytes, "base64")));
  if (!parsed.success) throw new MooringError("VAULT_ANSWER_MALFORMED", "the vault's lease", { cause: parsed.error });
  return parsed.data;
}

/** The vault keeps its own memory of what it accepted, and is asked only when something is to be sealed: so it may have slept through trust releases. It is
 *  shown the chain from the trust of this very release (none), then from each release before, newest first, then from a pin. */
async function sealed({ fleet, machine, signal }: StepContext, vault: VaultClient): Promise<SealAnswer> {
  const files: Record<string, Bytes64> = {};
  for (const { file } of machine.secrets) files[file] = toBase64(await fleet.ageFile(file)) as Bytes64;
  const desired = toBase64(machine.desired) as Bytes64;
  return inTurn(proofsFrom(fleet, machine.name), (release) => vault.seal({ machine: machine.name, desired, release, files }, signal));
}

/** What `ask` answers to the first of `proofs` that leads to it. Each is tried twice: a request for another machine may have moved the vault's trust on
 *  between two of ours, and then the shorter chain, which was too short a moment ago, is the right one. Throws the last TRUST_BROKEN. */
export async function inTurn<P, T>(proofs: Iterable<P>, ask: (proof: P) => Promise<T>): Promise<T> {
  let last: unknown = new MooringError("TRUST_BROKEN", "no trust release leads to the release in force");
  const tried: P[] = [];
  const each = function* (): Generator<P> {
    for (const proof of proofs) yield proof;
    yield* tried.slice(); // as it is then: it goes on growing
  };
  for (const proof of each()) {
    tried.push(proof);
    try {
      return await ask(proof);
    } catch (err) {
      if (!hasCode(err, "TRUST_BROKEN")) throw err;
      last = err;
    }
  }
  throw last;
}

/** One proof for each chain of trust by which the vault may have to be led; made when it is asked for. */
function* proofsFrom(fleet: FleetTarget, machine: MachineId): Generator<ReleaseProof> {
  const chains = new Set<string>();
  for (const holds of vaultStarts(fleet)) {
    let proof: ReleaseProof;
    try {
      proof = proofFor(fleet, machine, holds);
    } catch (err) {
      if (hasCode(err, "TRUST_BROKEN")) continue; // none leads from there
      throw err;
    }
    const chain = canon(proof.trustChain);
    if (!chains.has(chain)) yield proof;
    chains.add(chain);
  }
}

function vaultStarts({ head, resolved, branch }: FleetTarget): readonly Holds[] {
  const { serial } = head.release.doc;
  const before = branch.releases.map(({ release }) => release.doc).filter((doc) => doc.serial < serial);
  const pins = [...new Set([resolved.trustLeaf, ...before.map(({ trust }) => trust)])].map((pin) => ({ pin }));
  return [{ trust: resolved.trustLeaf, serial: serial - 1 }, ...before.map((doc) => ({ trust: doc.trust, serial: doc.serial })), ...pins];
}

/** The plugins that should run here and don't. Pure. */
export function unhealthyIn(status: AgentStatus): readonly string[] {
  return status.plugins.filter(({ state }) => state !== "running").map(({ id, state }) => `${id} is ${state}`);
}
