import type { Digest } from "#base/canonical/index.ts";
import { msOf, type Time } from "#base/time/index.ts";
import {
  countRole,
  type KnownRelease,
  lifetimeOf,
  parseRelease,
  parseSecretsRelease,
  RELEASE_NAMESPACE,
  SECRETS_NAMESPACE,
  type Trust,
} from "#proof/release/index.ts";
import { HUB_PRINCIPAL } from "#proof/sshsig/index.ts";
import type { RoleName } from "#schemas/wire/index.ts";
import type { Resolved, Roots } from "../desired/index.ts";
import {
  type Branch,
  checkFollows,
  completeOf,
  type Cover,
  isOurs,
  nextRelease,
  type ReadOutcome,
  type Released,
  secretsState,
  trustOf,
} from "../revision/index.ts";
import { releaseFolder } from "../source/index.ts";

/** What the hub is asked to sign for: main's newest commit, whose authors the commit rule has passed, and the release in force. */
export type HubCase = {
  readonly outcome: ReadOutcome;
  readonly cover: Cover;
  /** What machines run; null before there is any. */
  readonly inForce: { readonly head: KnownRelease; readonly resolved: Resolved; readonly roots: Roots } | null;
  /** Trust leaf of the revision whose rule for commits the authors have passed. */
  readonly authors: Digest | null;
  readonly branch: Branch;
  readonly pin: Digest;
  readonly now: Time;
  /** The hub's public key. */
  readonly key: string;
};

export type HubDocument = { readonly folder: string; readonly name: string; readonly namespace: string; readonly bytes: Uint8Array };

/** After this part of its life a release is made anew. */
const RENEW_AT = 0.75;

/** The documents that wait for the hub's signature: a release and a secrets release, where the outcome's trust section gives that role to the hub and this
 *  key. Three things make its signature safe to give. The authors were judged by the rule of this very trust section (its `authors`, which root signed); where
 *  trust has just changed, or nothing is in force, root itself has signed the release in question, and secrets are those people signed before. It signs what
 *  it would have made itself: one that people put on the branch first is joined when it is equal byte for byte and still fresh, and more revocations than before are
 *  ended only where the access role has signed that. And what people have to sign stays theirs: access proves its classes alone. Throws RESOLVER_UNKNOWN
 *  instead of signing over what people have released in a form that this version does not resolve. Pure. */
export function hubDocuments(item: HubCase): readonly HubDocument[] {
  const trust = trustOf(item.outcome.resolved);
  const released = releasedOf(item, trust);
  const documents = [...releaseToSign(item, trust, released), ...secretsToSign(item, trust, released)];
  if (documents.length > 0) checkFollows(released.complete, item.inForce?.head ?? null);
  return documents;
}

function releasedOf({ branch, pin, inForce }: HubCase, trust: Trust): Released {
  return { ...completeOf(branch, { pin }, trust), inForce: inForce === null ? null : { release: inForce.head, outcome: inForce } };
}

function releaseToSign(item: HubCase, trust: Trust, standing: Released): readonly HubDocument[] {
  const { outcome, branch, now } = item;
  if (!isDue(item)) return [];
  const input = { outcome, trust, standing, branch, lifts: [], now };
  const done = new Set(standing.complete);
  const isAny = isAuthored(item);
  const isByRoot = ({ release }: KnownRelease): boolean => countRole(trust.section, "root", release, release.doc.serial).met;
  const open = branch.releases.find(
    (known) =>
      !done.has(known) &&
      ((isAny && lifetimeOf(known.release.doc, now) === "fresh") || isByRoot(known)) &&
      isOurs(known, { ...input, lifts: liftsBy(known, trust) }),
  );
  if (open === undefined && !isAny) return [];
  const bytes = open?.release.bytes ?? nextRelease(input);
  const { serial } = parseRelease(bytes, outcome.resolved.fleet);
  if (!isMine(item, trust, "release", serial) || hasSigned(open?.release.signers() ?? [], item.key)) return [];
  return [{ folder: releaseFolder("release", serial, bytes), name: "release.json", namespace: RELEASE_NAMESPACE, bytes }];
}

function secretsToSign(item: HubCase, trust: Trust, standing: Released): readonly HubDocument[] {
  const { outcome, cover, branch, now, inForce } = item;
  const isUnchanged = inForce !== null && inForce.roots.secrets.root === outcome.roots.secrets.root;
  if (inForce === null || !(isMissing(cover, "secrets") || cover.at === "expired") || !(isUnchanged || isAuthored(item))) return [];
  const serial = inForce.head.release.doc.serial + 1;
  const state = secretsState({ outcome, trust, standing, branch, serial, now });
  if (state.at !== "open" || !isMine(item, trust, "secrets", serial) || hasSigned(state.waiting?.signers() ?? [], item.key)) return [];
  const bytes = state.document;
  const own = parseSecretsRelease(bytes, outcome.resolved.fleet).serial;
  return [{ folder: releaseFolder("secrets", own, bytes), name: "release-secrets.json", namespace: SECRETS_NAMESPACE, bytes }];
}

/** Whether what is on main is by the authors that root has agreed to. */
function isAuthored({ inForce, authors, outcome }: HubCase): boolean {
  return inForce !== null && authors === outcome.resolved.trustLeaf && inForce.resolved.trustLeaf === authors;
}

/** Whether a release is missing the hub, has run out, or soon will. */
function isDue({ cover, now }: HubCase): boolean {
  if (cover.at === "awaiting") return isMissing(cover, "release");
  if (cover.at === "expired") return true;
  const { issued, expires } = cover.head.release.doc;
  return msOf(now) >= msOf(issued) + RENEW_AT * (msOf(expires) - msOf(issued));
}

function isMissing(cover: Cover, role: RoleName): boolean {
  return cover.at === "awaiting" && cover.missing.some((missing) => missing.role === role);
}

function liftsBy({ release }: KnownRelease, trust: Trust): readonly Digest[] {
  return countRole(trust.section, "access", release, release.doc.serial).met ? release.doc.lifts : [];
}

function isMine({ key }: HubCase, { section }: Trust, role: RoleName, serial: number): boolean {
  const own = section.keys[HUB_PRINCIPAL] ?? [];
  const isCurrent = own.some((k) => k.key === key && serial >= k.from && (k.until === null || serial <= k.until));
  return section.roles[role].by === "hub" && isCurrent;
}

function hasSigned(signers: readonly { readonly key: string }[], key: string): boolean {
  return signers.some((signer) => signer.key === key);
}
