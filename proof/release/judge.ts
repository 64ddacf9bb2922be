import type { Time } from "#base/time/index.ts";
import { RELEASE_CLASSES, type ReleaseClass } from "#proof/root/index.ts";
import type { RoleName } from "#schemas/wire/index.ts";
import { factsOf, findTrustChain, type Holds, type KnownRelease, sectionOf } from "./known.ts";
import { isSecretsSigned } from "./secrets.ts";
import { hasRole, isCandidate, proverOf, roleOfClass, type SignedRelease, type SignedSecrets } from "./signed.ts";
import { countRole, type RoleCount } from "./signers.ts";
import type { Trust } from "./trust.ts";
import { stepFault } from "./walk.ts";

/** A role that still has to sign, for which classes, who has, and who could. */
export type Missing = {
  readonly role: RoleName;
  readonly classes: readonly (ReleaseClass | "trust" | "secrets")[];
  readonly have: readonly string[];
  readonly need: number;
  readonly principals: readonly string[];
};

/** `carried` = the earlier releases that prove entries of the head; `trust` = the head's trust section once a chain leads to it. */
export type Judgement = {
  readonly complete: boolean;
  readonly expired: boolean;
  readonly missing: readonly Missing[];
  readonly carried: readonly SignedRelease[];
  readonly trust: Trust | null;
};

/** Whether a release can be proven to any machine that stands on `holds`, and who is missing if not. It runs the rules of `acceptRelease`: the
 *  release role signed it, trust is reached, every class's entry is signed for by its role here or on an earlier release with the same
 *  entry; and, beyond what a machine asks, that its trust section was introduced by its own root. A class that never had a machine needs
 *  nobody. With `now`, an expired release is not complete. Pure. */
export function judgeRelease(input: {
  readonly head: KnownRelease;
  readonly releases: readonly KnownRelease[];
  readonly holds: Holds;
  readonly sections?: readonly Trust[];
  readonly now?: Time;
}): Judgement {
  const { releases, holds, now } = input;
  const head = input.head.release;
  const search = findTrustChain(holds, input.head, releases, input.sections);
  const trust = search.chain === null ? null : (input.head.trust ?? sectionOf(head.doc.trust, releases, input.sections));
  const expired = now !== undefined && now >= head.doc.expires;
  if (trust === null) return { complete: false, expired, missing: missingRoot(input.head, search.last), carried: [], trust: null };
  const earlier = factsOf(releases).signed;
  const { carried, missing: open } = judgeClasses(head, earlier, trust);
  const missing = [...introducers(head, earlier, trust), ...open];
  return { complete: missing.length === 0 && !expired, expired, missing, carried, trust };
}

/** A look that costs little, before `judgeRelease` is asked: false where it would not say complete, because trust is not reached or the release role has not
 *  signed. Anybody may push ten thousand documents. Pure. */
export function mayBeComplete({ head, releases, holds, sections }: Omit<Parameters<typeof judgeRelease>[0], "now">): boolean {
  const trust = head.trust ?? sectionOf(head.release.doc.trust, releases, sections);
  return trust !== null && hasRole(head.release, "release", trust) && findTrustChain(holds, head, releases, sections).chain !== null;
}

/** What `judgeRelease` says of `complete`, at the price of `mayBeComplete` for what somebody merely pushed. Pure. */
export function isComplete(input: Parameters<typeof judgeRelease>[0]): boolean {
  return mayBeComplete(input) && judgeRelease(input).complete;
}

/** Whether a secrets release counts under a release's trust; null when it does. */
export function judgeSecrets(secrets: SignedSecrets, trust: Trust, serial: number): Missing | null {
  if (isSecretsSigned(secrets, trust, serial)) return null;
  return missingOf(countRole(trust.section, "secrets", secrets, serial), ["secrets"]);
}

function judgeClasses(
  head: SignedRelease,
  earlier: readonly SignedRelease[],
  trust: Trust,
): { readonly missing: readonly Missing[]; readonly carried: readonly SignedRelease[] } {
  const carried = new Set<SignedRelease>();
  const open = new Map<RoleName, ReleaseClass[]>();
  if (!hasRole(head, "release", trust)) open.set("release", changedOf(head, "release"));
  for (const name of RELEASE_CLASSES) {
    if (!isNeeded(name, head, earlier)) continue;
    const prover = proverOf(name, head, earlier, trust);
    const role = roleOfClass(name);
    if (prover === null) open.set(role, [...new Set([...(open.get(role) ?? []), name])]);
    else if (prover !== head) carried.add(prover);
  }
  const missing = [...open].map(([role, classes]) => missingOf(bestCount(role, classes, head, earlier, trust), classes));
  return { missing, carried: [...carried] };
}

/** Of the documents that could prove it, the one that is nearest to the threshold; for the release role only the head counts. */
function bestCount(
  role: RoleName,
  classes: readonly ReleaseClass[],
  head: SignedRelease,
  earlier: readonly SignedRelease[],
  trust: Trust,
): RoleCount {
  const others = role === "release" ? [] : earlier.filter((release) => classes.every((name) => isCandidate(release, name, head)));
  const counts = [head, ...others].map((release) => countRole(trust.section, role, release, release.doc.serial));
  return counts.reduce((best, count) => (count.have.length > best.have.length ? count : best));
}

function changedOf(head: SignedRelease, role: RoleName): ReleaseClass[] {
  return RELEASE_CLASSES.filter((name) => roleOfClass(name) === role && head.doc.classes[name].since === head.doc.serial);
}

function isNeeded(name: ReleaseClass, head: SignedRelease, earlier: readonly SignedRelease[]): boolean {
  if (head.doc.classes[name].size > 0) return true;
  return earlier.some(({ doc }) => doc.serial < head.doc.serial && doc.classes[name].size > 0);
}

/** A trust section counts as introduced once a release that names it is signed by its own root: a machine enrolled today, pinned to it, starts
 *  its walk there. So the first release of a fleet asks for root, too. */
function introducers(head: SignedRelease, earlier: readonly SignedRelease[], trust: Trust): readonly Missing[] {
  const isNamed = ({ doc, digest }: SignedRelease): boolean =>
    doc.trust === trust.leaf && doc.serial <= head.doc.serial && digest !== head.digest;
  if (hasRole(head, "root", trust) || earlier.some((release) => isNamed(release) && hasRole(release, "root", trust))) return [];
  const counts = [head, ...earlier.filter(isNamed)].map((release) => countRole(trust.section, "root", release, release.doc.serial));
  return [
    missingOf(
      counts.reduce((best, count) => (count.have.length > best.have.length ? count : best)),
      ["trust"],
    ),
  ];
}

function missingRoot(head: KnownRelease, last: Trust | null): readonly Missing[] {
  const { release, trust } = head;
  const asked = [last, trust].filter((t): t is Trust => t !== null);
  const counts = asked.map((t) => countRole(t.section, "root", release, release.doc.serial)).filter((count) => !count.met);
  if (counts.length > 0) return counts.map((count) => missingOf(count, ["trust"]));
  const why = trust !== null && last !== null && stepFault(last, { release, trust }) === null;
  return why ? [] : [{ role: "root", classes: ["trust"], have: [], need: 1, principals: [] }];
}

function missingOf(count: RoleCount, classes: Missing["classes"]): Missing {
  return { role: count.role, classes, have: count.have, need: count.need, principals: count.principals };
}
