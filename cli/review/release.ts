import { hasCode } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import type { Digest } from "#base/canonical/index.ts";
import { countRole, isCovered, type KnownRelease, type Missing, roleOfClass, type Signatures, type Trust } from "#proof/release/index.ts";
import { type Branch, completeOf, trustOf } from "#reconciler/revision/index.ts";
import type { RoleName, TrustSection } from "#schemas/wire/index.ts";
import type { ReadOutcome } from "../fleet/open.ts";
import { type Case, caseOf } from "../release/case.ts";
import type { Standing } from "../release/standing.ts";
import type { ReleaseState } from "./review.ts";

/** How the head stands with its signatures. */
export type ReleaseView = {
  readonly state: ReleaseState;
  readonly missing: readonly Missing[];
  /** Who of a role has signed so far, for this outcome. */
  readonly signed: (role: RoleName) => readonly string[];
  readonly needsTouch: (role: RoleName) => boolean;
  /** The release that covers the head or that people are asked to sign; null where that can't be said. */
  readonly head: KnownRelease | null;
};

export type ReleaseInput = {
  readonly head: ReadOutcome;
  /** Main as it is before the change, newest first, as far as somebody asks; a commit that can't be read is null. */
  readonly main: AsyncIterable<ReadOutcome | null>;
  /** Main's newest: its word on whom to believe where nobody named a trust root. */
  readonly base: ReadOutcome | null;
  readonly branch: Branch;
  readonly trustRoot: Digest | null;
  readonly now: Time;
};

/** Judges the releases that this checkout knows of, as `mooring approve` does against the repo itself. */
export async function releaseView(input: ReleaseInput): Promise<ReleaseView> {
  const { head, branch, now } = input;
  const own = trustOf((input.base ?? head).resolved);
  const holds = { pin: input.trustRoot ?? own.leaf };
  const standing = await standingOf(input, holds, own);
  const verified = input.trustRoot !== null && (input.trustRoot === own.leaf || standing.complete.length > 0);
  const inForce = standing.inForce?.release.release.doc.serial ?? null;
  try {
    const item = caseOf({ outcome: head, standing, branch, now });
    const { serial } = item.head.release.doc;
    const at = item.missing.length > 0 ? "open" : "covered";
    return {
      state: { at, serial: at === "covered" || !item.isNew ? serial : null, inForce, verified },
      missing: item.missing,
      signed: (role) => signedBy(role, item, branch),
      needsTouch: (role) => item.trust.section.roles[role].touch === "required",
      head: item.head,
    };
  } catch (err) {
    if (!hasCode(err, "NOT_YET")) throw err; // a role signed by ci or hub: a finding says so at its line
    return {
      state: { at: "open", serial: null, inForce, verified: false },
      missing: [],
      signed: () => [],
      needsTouch: () => false,
      head: null,
    };
  }
}

/** Signatures count, not expiry: a release that has run out is still what machines have. In force is the newest release that covers a commit of main: a main
 *  that is back as it was brings no older release back, since machines refuse it. */
async function standingOf(input: ReleaseInput, holds: Standing["holds"], own: Trust): Promise<Standing> {
  const released = completeOf(input.branch, holds, own);
  const isAny = released.complete.length > 0;
  return { holds, ...released, inForce: isAny ? await inForceOf(input, released.complete) : null };
}

const LOOK_BACK = 16; // commits; each costs 65 ms on 1,000 machines, measured 2026-11

async function inForceOf({ main, head }: ReleaseInput, complete: readonly KnownRelease[]): Promise<Standing["inForce"]> {
  const covering = (releases: readonly KnownRelease[], { roots, resolved }: ReadOutcome): readonly KnownRelease[] =>
    releases.filter(({ release }) => isCovered(release.doc, roots.classes, resolved.trustLeaf));
  let best: Standing["inForce"] = null;
  let left = LOOK_BACK;
  let newer = complete;
  for await (const outcome of main) {
    const release = outcome === null ? undefined : covering(newer, outcome)[0];
    if (outcome !== null && release !== undefined) {
      // What covers the change itself is most often its own approval; and if it is in force already, the change is covered all the same.
      const own = best === null ? covering(complete, head) : [];
      newer = newer.slice(0, newer.indexOf(release)).filter((item) => !own.includes(item));
      best = { release, commit: outcome.revision, outcome };
    }
    if (best !== null && (newer.length === 0 || left-- === 0)) break;
  }
  return best;
}

/** Signatures of a role over the head, or over an earlier release with the same entry of the role's class. */
function signedBy(role: RoleName, { head, trust, secrets }: Case, branch: Branch): readonly string[] {
  if (role === "secrets") {
    const signed = secrets.at === "signed" ? secrets.signed : secrets.at === "open" ? secrets.waiting : null;
    return signed === null ? [] : namesOf(role, trust.section, [{ ...signed, serial: head.release.doc.serial }]);
  }
  const sameEntry = ({ release }: KnownRelease): boolean => {
    if (release.digest === head.release.digest) return true;
    if (role === "root") return release.doc.trust === head.release.doc.trust;
    if (role === "release") return false;
    return Object.entries(release.doc.classes).some(([name, entry]) => {
      const wanted = head.release.doc.classes[name as keyof typeof release.doc.classes];
      return roleOfClass(name as "access") === role && entry.root === wanted.root && entry.since === wanted.since;
    });
  };
  const known = [head, ...branch.releases.filter((item) => item.release.digest !== head.release.digest)].filter(sameEntry);
  return namesOf(
    role,
    trust.section,
    known.map(({ release }) => ({ ...release, serial: release.doc.serial })),
  );
}

/** In the order in which the role names them; a workflow of `by: ci` by its own name. */
function namesOf(role: RoleName, trust: TrustSection, documents: readonly (Signatures & { readonly serial: number })[]): readonly string[] {
  const counts = documents.map((item) => countRole(trust, role, item, item.serial));
  const names = new Set(counts.flatMap(({ principals }) => principals));
  return [...names].filter((name) => counts.some(({ have }) => have.includes(name)));
}
