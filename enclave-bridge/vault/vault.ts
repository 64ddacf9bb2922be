import { digestOf } from "#base/canonical/index.ts";
import { type ErrorCode, MooringError } from "#base/errors/index.ts";
import { type Clock, timeOf } from "#base/time/index.ts";
import type { AuditLog } from "#bridge/log/index.ts";
import { type Accepted, verifyStatement } from "#proof/release/index.ts";
import type { Digest } from "#base/canonical/index.ts";
import type { Envelope, MachineId, SealAnswer, SealRequest, SignedLease, SignedStatement, VaultInfo } from "#schemas/wire/index.ts";
import { signLease } from "#seal/envelope/index.ts";
import type { VaultConfig } from "./config.ts";
import type { VaultKeys } from "./keys.ts";
import { floorOf, prove, remember, type Shown } from "./prove.ts";
import { about, reseal, SKEW_MS } from "./reseal.ts";
import { revokedFor } from "./revoked.ts";
import { grantsIn, identityIn, isRevoked, type Revoked, type Wanted, wantedBy } from "./sections.ts";
import type { MachineState, VaultStore } from "./store.ts";

export type VaultParts = {
  readonly config: VaultConfig;
  readonly keys: VaultKeys;
  readonly store: VaultStore;
  readonly log: AuditLog;
  readonly now: Clock;
  /** The process's uid, which the hub compares with its own. */
  readonly uid: number;
};

/** The vault without its socket: what each request gets. */
export type Vault = {
  info(): VaultInfo;
  seal(request: SealRequest): Promise<SealAnswer>;
  lease(shown: Shown): Promise<SignedLease>;
  addStatement(signed: SignedStatement): Promise<Digest>;
};

type Job = {
  readonly machine: MachineId;
  readonly accepted: Accepted;
  readonly revoked: Revoked;
  readonly before: MachineState;
  readonly now: number;
};
type Refusal = SealAnswer["refused"][number];

/** One vault of one fleet. Requests for a machine go one after the other, so that its serials only grow. */
export function makeVault(parts: VaultParts): Vault {
  const { config, keys, log } = parts;
  const inTurn = turns();
  return {
    info: () => ({
      fleet: config.fleet,
      uid: parts.uid,
      recipient: keys.recipient,
      key: keys.signer.key,
      origin: log.origin,
      treeSize: log.size,
      newestSerial: parts.store.newest?.serial ?? null,
    }),
    seal: (request) => inTurn(request.machine, () => logged(log, request.machine, () => sealFor(parts, request))),
    lease: (shown) => inTurn(shown.machine, () => logged(log, shown.machine, () => leaseFor(parts, shown))),
    addStatement: (signed) => addStatement(parts, signed),
  };
}

async function sealFor(parts: VaultParts, request: SealRequest): Promise<SealAnswer> {
  const job = await begin(parts, request, grantCount);
  const { config, keys, log } = parts;
  const { desired, trust } = job.accepted;
  const ctx = {
    fleet: config.fleet,
    machine: job.machine,
    identity: identityIn(desired),
    trust,
    keys,
    log,
    now: job.now,
    files: request.files,
  };
  const envelopes: { grant: string; envelope: Envelope }[] = [];
  const refused: Refusal[] = [];
  for (const [i, grant] of grantsIn(desired).entries()) {
    let wanted: Wanted | null = null;
    try {
      wanted = wantedBy(grant, desired);
      refuseRevoked(wanted, job);
      envelopes.push({ grant: grant.name, envelope: await reseal(ctx, wanted, job.before.bindingSerial + 1 + i) });
    } catch (err) {
      refused.push(await refusalOf(err, grant.name, wanted, job, log));
    }
  }
  const lease = job.revoked.machines.has(job.machine) ? null : await giveLease(parts, job);
  return { envelopes, refused, lease };
}

async function leaseFor(parts: VaultParts, shown: Shown): Promise<SignedLease> {
  const job = await begin(parts, shown, () => 0);
  if (job.revoked.machines.has(job.machine))
    throw new MooringError("SECRET_REVOKED", `lease of ${job.machine}`, { why: "the machine is revoked" });
  return await giveLease(parts, job);
}

/** What every request starts with: proof, then memory, both against the vault's own copy. */
async function begin(parts: VaultParts, shown: Shown, bindings: (accepted: Accepted) => number): Promise<Job> {
  const { config, store, now } = parts;
  const { fleet, trust } = config;
  if (trust === null)
    throw new MooringError("VAULT_NO_TRUST", "a request before the vault was pinned", {
      fix: "run `mooring-vault pin`, then start it again",
    });
  const accepted = prove({ fleet, trust, store, now }, shown);
  const before = await remember(store, shown.machine, accepted, { bindings: bindings(accepted) });
  const revoked = revokedFor(shown.machine, accepted.desired, store);
  return { machine: shown.machine, accepted, revoked, before, now: floorOf(store, now) };
}

function grantCount(accepted: Accepted): number {
  return grantsIn(accepted.desired).length;
}

function refuseRevoked(wanted: Wanted, job: Job): void {
  const why = isRevoked(wanted, job.machine, job.revoked);
  if (why !== null) throw new MooringError("SECRET_REVOKED", `grant ${wanted.grant.name} on ${job.machine}`, { why });
}

/** One grant's refusal, logged. Only our own refusals are one; a log that can't be written, or a programmer's error, ends the request. */
async function refusalOf(err: unknown, grant: string, wanted: Wanted | null, { machine }: Job, log: AuditLog): Promise<Refusal> {
  if (!(err instanceof MooringError) || err.code === "AUDIT_UNAVAILABLE") throw err;
  await log.append({
    op: "vault.deny",
    outcome: "denied",
    code: err.code,
    ...(wanted === null ? { machine, grant } : about(machine, wanted)),
  });
  return { grant, code: err.code, message: err.why === undefined ? err.message : `${err.message}: ${err.why}` };
}

async function giveLease({ config, keys, log }: VaultParts, { machine, accepted, before, now }: Job): Promise<SignedLease> {
  const lease = signLease(
    {
      t: "mooring/lease/v1",
      fleet: config.fleet,
      machine,
      key: digestOf(identityIn(accepted.desired).kx),
      serial: before.leaseSerial + 1,
      notBefore: timeOf(now - SKEW_MS),
      notAfter: timeOf(now + accepted.trust.leaseSeconds * 1000),
    },
    keys.signer,
  );
  await log.append({ op: "lease.issue", outcome: "ok", machine });
  return lease;
}

/** Keeps a revocation for good; other statements concern machines only and are refused. Judged by the newest trust the vault accepted. */
async function addStatement({ config, store, now }: VaultParts, signed: SignedStatement): Promise<Digest> {
  const newest = store.newest;
  if (newest === null)
    throw new MooringError("VAULT_NO_TRUST", "a statement before the first release", {
      why: "no release has told the vault who may revoke",
    });
  const context = { fleet: config.fleet, now: timeOf(floorOf(store, now)), trust: newest.trust, serial: newest.serial };
  const { statement } = verifyStatement(signed, context);
  if (statement.action !== "revoke" || statement.target?.kind === "signer")
    throw new MooringError("NOT_YET", `statement ${statement.action} in the vault`, {
      why: "the vault obeys revocations of secrets, plugins and machines; a signer is taken out by a release whose trust drops the key",
    });
  return await store.addStatement(signed);
}

/** A request that fails leaves a trace too. */
async function logged<T>(log: AuditLog, machine: MachineId, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (err) {
    if (err instanceof MooringError && err.code !== "AUDIT_UNAVAILABLE")
      await log.append({ op: "vault.deny", outcome: "denied", machine, code: err.code satisfies ErrorCode });
    throw err;
  }
}

/** Runs work for one machine strictly one after the other; machines don't wait for each other. */
function turns(): <T>(key: MachineId, work: () => Promise<T>) => Promise<T> {
  const last = new Map<MachineId, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
