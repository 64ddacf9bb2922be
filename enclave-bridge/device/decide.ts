import type { Digest } from "#base/canonical/index.ts";
import { type ErrorCode, MooringError } from "#base/errors/index.ts";
import { msOf } from "#base/time/index.ts";
import type { BridgeState } from "#bridge/client/ipc.ts";
import type { Binding, Envelope, GrantSection, Lease, PluginId, SecretRef, SignedLease } from "#schemas/wire/index.ts";
import { secretName } from "#schemas/wire/index.ts";
import { verifyEnvelope, verifyLease } from "#seal/envelope/index.ts";

/** What a plugin asked for, and the bundle its run was started from. `ref` is what the plugin wrote. */
export type Ask = { readonly plugin: PluginId; readonly bundle: Digest; readonly ref: string };

/** All the bridge knows when it decides. `key` = digest of this machine's kx text; `now` = the time floor's. */
export type Facts = {
  readonly state: BridgeState | null;
  readonly key: Digest;
  readonly lease: SignedLease | null;
  readonly envelopes: (subject: string, ref: string) => readonly Envelope[];
  readonly now: number;
};

export type Granted = { readonly leaf: Digest; readonly section: GrantSection };

export type Verdict =
  | { readonly at: "open"; readonly grant: Granted; readonly envelope: Envelope; readonly binding: Binding }
  | { readonly at: "deny"; readonly code: ErrorCode; readonly retry: boolean; readonly grant: Granted | null };

/** Whether a plugin gets a secret now. Every yes rests on a proven grant, a lease and an envelope whose signatures are checked here and
 *  now, for this machine, key, plugin bundle, version and time. Pure; never throws. */
export function decide(ask: Ask, facts: Facts): Verdict {
  const { state, now } = facts;
  if (state === null) return deny("SECRET_WAITING", null);
  const found = findGrant(ask.plugin, ask.ref, state, facts.key, now);
  if ("at" in found) return found;
  const current = state.plugins.find(({ id }) => id === ask.plugin);
  if (current?.bundle !== ask.bundle) return deny("PLUGIN_OUTDATED", found);
  if (state.withheld.includes(ask.plugin)) return deny("PLUGIN_WITHHELD", found);
  if (!isLeaseRunning(state, facts)) return deny("LEASE_ENDED", found);
  const secret = state.secrets.find(({ name }) => name === secretName(found.section.grant.ref));
  if (secret === undefined) return deny("SECRET_WAITING", found);
  for (const envelope of facts.envelopes(ask.plugin, ask.ref)) {
    const binding = bindingIn(envelope, state);
    if (binding !== null && isFitting(binding, ask, facts, state, found, secret.version))
      return { at: "open", grant: found, envelope, binding };
  }
  return deny("SECRET_WAITING", found);
}

/** The grant that lets `plugin` have `ref` on fd 3 at all, or why not: what a revocation takes away at once. */
export function findGrant(
  plugin: PluginId,
  ref: string,
  state: BridgeState,
  key: Digest,
  now: number,
): Granted | Extract<Verdict, { readonly at: "deny" }> {
  const grants = state.grants.filter(({ section }) => isFor(section, plugin, ref, key));
  const [first] = grants;
  if (first === undefined) return deny("SECRET_NOT_GRANTED", null);
  if (state.revoked.machine || state.revoked.plugins.includes(plugin) || isRevokedSecret(state, first.section.grant.ref))
    return deny("SECRET_REVOKED", first);
  return grants.find(({ section }) => section.grant.expires === null || now < msOf(section.grant.expires)) ?? deny("GRANT_EXPIRED", first);
}

/** Refs that `plugin` may ask for: what HELLO lists. */
export function refsOf(plugin: PluginId, state: BridgeState | null, key: Digest): readonly string[] {
  const refs = state?.grants
    .filter(({ section }) => isFor(section, plugin, section.grant.ref, key))
    .map(({ section }) => section.grant.ref);
  return [...new Set(refs)];
}

/** The lease after all checks but time, null when it is not for this machine. Throws LEASE_REFUSED. */
export function checkedLease(signed: SignedLease, state: BridgeState, key: Digest): Lease | null {
  const lease = verifyLease(signed, state.vaultKeys, state.releaseSerial);
  return lease.fleet === state.fleet && lease.machine === state.machine && lease.key === key ? lease : null;
}

function isLeaseRunning(state: BridgeState, facts: Facts): boolean {
  if (facts.lease === null) return false;
  const lease = unlessRefused(() => checkedLease(facts.lease as SignedLease, state, facts.key));
  return lease !== null && isWithin(facts.now, lease);
}

function bindingIn(envelope: Envelope, state: BridgeState): Binding | null {
  return unlessRefused(() => verifyEnvelope(envelope, state.vaultKeys, state.releaseSerial));
}

function isFitting(binding: Binding, ask: Ask, facts: Facts, state: BridgeState, grant: Granted, version: number): boolean {
  return (
    binding.fleet === state.fleet &&
    binding.machine === state.machine &&
    binding.key === facts.key &&
    binding.grantDigest === grant.leaf &&
    binding.grant.subject === ask.plugin &&
    binding.grant.ref === ask.ref &&
    binding.grant.delivery.mode === "fd" &&
    binding.bundle === ask.bundle &&
    binding.version === version &&
    isWithin(facts.now, binding)
  );
}

function isFor(section: GrantSection, plugin: PluginId, ref: string, key: Digest): boolean {
  const { grant } = section;
  return grant.subject === plugin && grant.ref === ref && grant.delivery.mode === "fd" && section.key === key;
}

function isRevokedSecret(state: BridgeState, ref: SecretRef): boolean {
  return state.revoked.secrets.includes(ref) || state.revoked.secrets.includes(secretName(ref));
}

function isWithin(now: number, window: { readonly notBefore: Lease["notBefore"]; readonly notAfter: Lease["notAfter"] }): boolean {
  return msOf(window.notBefore) <= now && now < msOf(window.notAfter);
}

const RETRY: readonly ErrorCode[] = ["SECRET_WAITING", "PLUGIN_WITHHELD", "LEASE_ENDED"];

function deny(code: ErrorCode, grant: Granted | null): Extract<Verdict, { readonly at: "deny" }> {
  return { at: "deny", code, retry: RETRY.includes(code), grant };
}

function unlessRefused<T>(work: () => T): T | null {
  try {
    return work();
  } catch (err) {
    if (err instanceof MooringError) return null;
    throw err;
  }
}
