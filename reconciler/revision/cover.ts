import { msOf, type Time, timeOf } from "#base/time/index.ts";
import {
  composeRelease,
  countRole,
  type Holds,
  isCovered,
  judgeRelease,
  judgeSecrets,
  type KnownRelease,
  type Missing,
  readKnown,
  ROLE_NAMES,
  type SignedSecrets,
} from "#proof/release/index.ts";
import { parseTrust, type Trust } from "#proof/release/index.ts";
import { canonBytes } from "#base/canonical/index.ts";
import type { Resolved, Roots } from "../desired/index.ts";
import type { Branch } from "./branch.ts";
import { formAfter } from "./forms.ts";

/** Whether people released an outcome. `covered`: run it. `awaiting`: who still has to sign; `head` is the release that lacks it, null when there is
 *  none for this outcome yet. `expired`: it was released and the release has run out. */
export type Cover =
  | { readonly at: "covered"; readonly head: KnownRelease; readonly secrets: SignedSecrets | null }
  | {
      readonly at: "awaiting";
      readonly head: KnownRelease | null;
      readonly secrets: SignedSecrets | null;
      readonly missing: readonly Missing[];
    }
  | { readonly at: "expired"; readonly head: KnownRelease };

export type CoverInput = {
  readonly resolved: Resolved;
  readonly roots: Roots;
  readonly branch: Branch;
  readonly holds: Holds;
  readonly now: Time;
  /** Serial of the release in force: an older one, or one for a tree that is back as it was, covers nothing. */
  readonly minSerial: number;
  /** The trust section of the release in force, which machines have: a later one must follow it, wherever it leads from the trust root. Null = not known. */
  readonly held?: Trust | null;
  /** Serial of the secrets release that machines hold by then; they refuse an older one, also for a tree that is back as it was. */
  readonly minSecrets: number;
};

/** The newest complete release for exactly this outcome, or what is missing. Pure. */
export function cover(input: CoverInput): Cover {
  const { resolved, roots, branch, now } = input;
  const own = trustOf(resolved);
  const covering = branch.releases.filter(
    ({ release }) => release.doc.serial >= input.minSerial && isCovered(release.doc, roots.classes, resolved.trustLeaf),
  );
  const candidates = worthJudging(covering, input.held == null ? [own] : [own, input.held], now);
  let expired: KnownRelease | null = null;
  let best: { readonly head: KnownRelease; readonly missing: readonly Missing[] } | null = null;
  for (const head of candidates) {
    const judged = judgeRelease({ head, releases: branch.releases, ...startFor(head.release.doc.serial, input, own), now });
    if (judged.missing.length === 0 && judged.expired) expired ??= head;
    if (judged.expired) continue;
    const secrets = secretsFor(input, own, head.release.doc.serial);
    const missing = [...judged.missing, ...(secrets.missing === null ? [] : [secrets.missing])];
    if (missing.length === 0 && judged.complete) return { at: "covered", head, secrets: secrets.signed };
    if (best === null || missing.length < best.missing.length) best = { head, missing };
  }
  if (best !== null) return { at: "awaiting", head: best.head, secrets: bestSecrets(roots, branch), missing: best.missing };
  if (expired !== null) return { at: "expired", head: expired };
  return { at: "awaiting", head: null, secrets: bestSecrets(roots, branch), missing: unsigned(input, own) };
}

/** Those that somebody with a role has signed, and one of the others, which says who is missing: anybody may push ten thousand copies. */
function worthJudging(releases: readonly KnownRelease[], trusts: readonly Trust[], now: Time): readonly KnownRelease[] {
  const isSigned = ({ release }: KnownRelease): boolean =>
    trusts.some(({ section }) => ROLE_NAMES.some((role) => countRole(section, role, release, release.doc.serial).have.length > 0));
  let isFirst = true;
  return releases.filter((item) => {
    if (isSigned(item)) return true;
    const isTaken = isFirst && now < item.release.doc.expires;
    isFirst &&= !isTaken;
    return isTaken;
  });
}

function startFor(serial: number, { held, holds, minSerial }: CoverInput, own: Trust) {
  if (held == null || serial <= minSerial) return { holds, sections: [own] };
  return { holds: { trust: held.leaf, serial: minSerial }, sections: [own, held] };
}

/** Who would have to sign an outcome that nobody has made a release for yet: that of the release which would follow the one in force, without a
 *  signature. */
function unsigned(input: CoverInput, own: Trust): readonly Missing[] {
  const { resolved, roots, branch, now, minSerial } = input;
  const before = branch.releases.find(({ release }) => release.doc.serial === minSerial)?.release ?? null;
  const bytes = composeRelease({
    fleet: resolved.fleet,
    prev: before,
    resolver: formAfter(before?.doc ?? null),
    roots: roots.classes,
    trustLeaf: resolved.trustLeaf,
    lifts: before?.doc.lifts ?? [],
    issued: now,
    expires: timeOf(msOf(now) + own.section.expiresSeconds * 1000),
  });
  const head = readKnown({ bytes, sigs: [], trust: own.bytes }, resolved.fleet);
  const { missing } = judgeRelease({ head, releases: branch.releases, ...startFor(head.release.doc.serial, input, own) });
  const secrets = secretsFor(input, own, head.release.doc.serial);
  return [...missing, ...(secrets.missing === null ? [] : [secrets.missing])];
}

/** The secrets release for these roots; none is needed where no machine has a secret. */
function secretsFor(
  { roots, branch, now, minSecrets }: CoverInput,
  trust: Trust,
  serial: number,
): { readonly signed: SignedSecrets | null; readonly missing: Missing | null } {
  if (roots.secrets.size === 0) return { signed: null, missing: null };
  let missing: Missing | null = null;
  for (const signed of branch.secrets.filter(({ doc }) => isSame(doc, roots) && doc.serial >= minSecrets && now < doc.expires)) {
    const lacks = judgeSecrets(signed, trust, serial);
    if (lacks === null) return { signed, missing: null };
    missing ??= lacks;
  }
  const rule = trust.section.roles.secrets;
  return {
    signed: null,
    missing: missing ?? { role: "secrets", classes: ["secrets"], have: [], need: rule.threshold, principals: rule.principals },
  };
}

function bestSecrets(roots: Roots, branch: Branch): SignedSecrets | null {
  return branch.secrets.find(({ doc }) => isSame(doc, roots)) ?? null;
}

function isSame(doc: { readonly root: string; readonly size: number }, { secrets }: Roots): boolean {
  return doc.root === secrets.root && doc.size === secrets.size;
}

/** Serial of the secrets release that machines hold while `base` is in force under a release of `serial`; where it has no secrets, of the newest one
 *  they may have had. 0 when nothing is in force. Pure. */
export function heldSecrets(
  base: { readonly resolved: Resolved; readonly roots: Roots } | null,
  branch: Pick<Branch, "secrets">,
  serial: number,
): number {
  if (base === null) return 0;
  const trust = trustOf(base.resolved);
  const signed = branch.secrets.filter((item) => judgeSecrets(item, trust, serial) === null);
  const held = base.roots.secrets.size === 0 ? signed : signed.filter(({ doc }) => isSame(doc, base.roots));
  return Math.max(0, ...held.map(({ doc }) => doc.serial));
}

/** The trust section of a resolved tree as the release code takes it. */
export function trustOf(resolved: Resolved): Trust {
  return parseTrust(canonBytes(resolved.trust));
}
