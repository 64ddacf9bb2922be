import type { Digest } from "#base/canonical/index.ts";
import { msOf, type Time, timeOf } from "#base/time/index.ts";
import {
  composeRelease,
  countRole,
  type Holds,
  isCandidate,
  judgeRelease,
  type KnownRelease,
  mayBeComplete,
  type ReleaseDoc,
  roleOfClass,
  SERIAL_WINDOW,
  type SignedRelease,
  type Trust,
} from "#proof/release/index.ts";
import { RELEASE_CLASSES, type ReleaseClass } from "#proof/root/index.ts";
import type { PrincipalKey, TrustSection } from "#schemas/wire/index.ts";
import type { Branch } from "./branch.ts";
import { formAfter } from "./forms.ts";
import type { Outcome } from "./outcome.ts";

export type ReadOutcome = Outcome & { readonly at: "read" };

/** What is released. `complete` = releases the right people signed, newest serial first; nothing else on the branch counts, since anybody may push there.
 *  `trusts` = the trust section of each, with its serial. `inForce` = the one that machines have: the newest that covers a commit of main. */
export type Released = {
  readonly complete: readonly KnownRelease[];
  readonly trusts: readonly { readonly trust: Trust; readonly serial: number }[];
  readonly inForce: { readonly release: KnownRelease; readonly outcome: Pick<ReadOutcome, "resolved" | "roots"> } | null;
};

/** The signatures count, not the expiry: a release that has run out is still what machines have. Pure. */
export function completeOf(branch: Branch, holds: Holds, own: Trust): Pick<Released, "complete" | "trusts"> {
  const judged = branch.releases.flatMap((head) => {
    const asked = { head, releases: branch.releases, holds, sections: [own] };
    if (!mayBeComplete(asked)) return [];
    const { complete, trust } = judgeRelease(asked);
    return complete && trust !== null ? [{ head, trust }] : [];
  });
  const near = nearOf(judged);
  return {
    complete: near.map(({ head }) => head),
    trusts: near.map(({ head, trust }) => ({ trust, serial: head.release.doc.serial })),
  };
}

type Judged = { readonly head: KnownRelease; readonly trust: Trust };

/** Without those that are further ahead of all others than machines follow in one step: one stolen key must not use up the serials. */
function nearOf(judged: readonly Judged[]): readonly Judged[] {
  let last: number | null = null;
  const near = judged.toReversed().filter(({ head }) => {
    const { serial } = head.release.doc;
    if (last !== null && serial > last + SERIAL_WINDOW) return false;
    last = serial;
    return true;
  });
  return near.reverse();
}

export type NextInput = {
  readonly outcome: ReadOutcome;
  readonly trust: Trust;
  readonly standing: Pick<Released, "complete" | "inForce">;
  readonly branch: Branch;
  /** Revocations to end, beside those that the release in force ends already. */
  readonly lifts: readonly Digest[];
  readonly now: Time;
  /** The form of the resolver; left out = that of the release before. */
  readonly resolver?: number | undefined;
  /** A release that this one is to come after and whose approvals nobody may take over any more. */
  readonly burns?: ReleaseDoc | undefined;
  /** Releases whose signers have taken their approvals back (`withdrawnBy`), those of them that lost the word of the access role, and the serial that the
   *  newest withdrawal has. */
  readonly withdrawn?: { readonly digests: ReadonlySet<Digest>; readonly access: ReadonlySet<Digest>; readonly serial: number } | undefined;
};

const CLOCK_SKEW_MS = 300_000;

/** The release.json to sign for an outcome. It follows the release that machines have (not one that is signed but not merged, or every unrelated
 *  change would ask the roles of that one again), its serial is above all complete ones, and an access entry that its role has signed on another
 *  release is taken over as it is: so approvals survive squash, rebase and other people's merges. Nothing incomplete on the branch moves a serial,
 *  so nobody who merely pushes can burn them. Pure. */
export function nextRelease(input: NextInput): Uint8Array {
  const issued = input.now;
  return composed(input, serialAfter(input), issued, timeOf(msOf(issued) + input.trust.section.expiresSeconds * 1000));
}

function serialAfter(input: NextInput): number {
  return Math.max(nextSerial(input.standing), floorOf(input) + 1);
}

/** What the serial has to be above beside those of complete releases. */
function floorOf({ burns, withdrawn }: NextInput): number {
  return Math.max(burns?.serial ?? 0, withdrawn?.serial ?? 0);
}

export function nextSerial({ complete }: Pick<Released, "complete">): number {
  return (complete[0]?.release.doc.serial ?? 0) + 1;
}

/** Whether an unfinished release on the branch is, byte for byte, what we would have made at its time: anybody may push one that covers the same
 *  outcome but lifts revocations, burns serials or never expires. Pure. */
export function isOurs({ release }: KnownRelease, input: NextInput): boolean {
  const { serial, issued, expires } = release.doc;
  const above = input.standing.inForce?.release.release.doc.serial ?? 0;
  if (serial <= above || serial > serialAfter(input) || serial <= floorOf(input)) return false;
  if (msOf(issued) > msOf(input.now) + CLOCK_SKEW_MS || input.now >= expires) return false;
  if (msOf(expires) !== msOf(issued) + input.trust.section.expiresSeconds * 1000) return false;
  return Buffer.from(composed(input, serial, issued, expires)).equals(release.bytes);
}

/** What the next release lifts: later releases go on naming what an earlier one lifted. */
export function liftsOf({ standing, lifts }: Pick<NextInput, "standing" | "lifts">): readonly Digest[] {
  return [...new Set([...(followed(standing)?.release.doc.lifts ?? []), ...lifts])].sort();
}

function composed(input: NextInput, serial: number, issued: Time, expires: Time): Uint8Array {
  const { outcome, trust, standing } = input;
  const prev = followed(standing)?.release ?? null;
  const reattest = prev === null ? [] : RELEASE_CLASSES.filter((name) => isReattested(name, prev, serial, input));
  return composeRelease({
    fleet: outcome.resolved.fleet,
    prev:
      prev === null ? null : { doc: { ...prev.doc, serial: serial - 1, classes: entriesFor(prev.doc, serial, input) }, bytes: prev.bytes },
    resolver: input.resolver ?? formAfter(prev?.doc ?? null),
    roots: outcome.roots.classes,
    trustLeaf: trust.leaf,
    lifts: liftsOf(input),
    issued,
    expires,
    reattest,
  });
}

/** Whether a class that has not changed is asked for again: whoever had signed it counts no longer, or not from this serial on (what an ended key signs can
 *  be dated back), or an approval of it is taken back. The classes of the release role are not, since that role signs every release. */
function isReattested(name: ReleaseClass, before: SignedRelease, serial: number, { outcome, trust, branch, burns }: NextInput): boolean {
  const role = roleOfClass(name);
  const entry = before.doc.classes[name];
  if (role === "release" || entry.size === 0 || entry.root !== outcome.roots.classes[name].root) return false;
  if (burns !== undefined && burns.classes[name].since > entry.since) return true;
  const living = withoutEnded(trust.section, serial);
  if (before.doc.trust === trust.leaf && living === trust.section) return false;
  const provers = [before, ...branch.releases.map(({ release }) => release).filter((release) => isCandidate(release, name, before))];
  return !provers.some((release) => countRole(living, role, release, release.doc.serial).met);
}

/** The trust section without keys whose window closed before `serial`; itself when there are none. */
function withoutEnded(section: TrustSection, serial: number): TrustSection {
  const hasEnded = ({ until }: PrincipalKey): boolean => until !== null && until < serial;
  if (!Object.values(section.keys).flat().some(hasEnded)) return section;
  const keys = Object.entries(section.keys).map(([name, list]) => [name, list.filter((key) => !hasEnded(key))] as const);
  return { ...section, keys: Object.fromEntries(keys) };
}

/** The release that the next one follows: the one machines have, or else the newest complete one. Pure. */
export function followed({ inForce, complete }: Pick<Released, "complete" | "inForce">): KnownRelease | null {
  return inForce?.release ?? complete[0] ?? null;
}

/** The entries to keep: those of the release before, or one signed elsewhere for the root we want now. `since` only grows, or a machine would refuse. */
function entriesFor(before: ReleaseDoc, serial: number, input: NextInput): ReleaseDoc["classes"] {
  const entries = RELEASE_CLASSES.map((name) => [name, signedElsewhere(name, before, serial, input) ?? before.classes[name]] as const);
  return Object.fromEntries(entries) as ReleaseDoc["classes"];
}

function signedElsewhere(name: ReleaseClass, before: ReleaseDoc, serial: number, { outcome, trust, branch, withdrawn }: NextInput) {
  const [role, want] = [roleOfClass(name), outcome.roots.classes[name]];
  if (role === "release" || before.classes[name].root === want.root) return null; // the release role signs every release anyway
  const found = branch.releases.find(({ release }) => {
    if (withdrawn?.access.has(release.digest) === true) return false;
    const entry = release.doc.classes[name];
    const isWanted = entry.root === want.root && entry.size === want.size && entry.since > before.classes[name].since;
    return isWanted && release.doc.serial < serial && countRole(trust.section, role, release, release.doc.serial).met;
  });
  return found?.release.doc.classes[name] ?? null;
}
