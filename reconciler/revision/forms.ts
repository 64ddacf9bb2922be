import { MooringError } from "#base/errors/index.ts";
import { type Holds, isComplete, type KnownRelease, type ReleaseDoc, releaseName } from "#proof/release/index.ts";
import type { Branch } from "./branch.ts";
import { signedBy } from "./signed-by.ts";

/** The forms in which this version resolves a tree, newest last: N-1 and N, once there is a second. A form is an integer of release.json, so that equal
 *  outcomes give equal documents; machines take any, since they compare roots and never resolve. */
export const RESOLVER_FORMS: readonly number[] = [1];

const FORMS = `${RESOLVER_FORMS.length === 1 ? "form" : "forms"} ${RESOLVER_FORMS.join(" and ")}`;

/** The form of the next release: a fleet changes it only by `mooring release --resolver`. Pure. */
export function formAfter(before: Pick<ReleaseDoc, "resolver"> | null): number {
  return before !== null && RESOLVER_FORMS.includes(before.resolver) ? before.resolver : (RESOLVER_FORMS.at(-1) ?? 1);
}

/** Throws RESOLVER_UNKNOWN where the newest of these releases (complete ones, newest first, and the one in force) is in a form that this version does not
 *  resolve: a release in an older form on top of it would take back what people have moved. Pure. */
export function checkFollows(complete: readonly KnownRelease[], inForce: KnownRelease | null): void {
  const newest = [...complete, ...(inForce === null ? [] : [inForce])].sort((a, b) => b.release.doc.serial - a.release.doc.serial)[0];
  if (newest === undefined) return;
  const { doc } = newest.release;
  if (RESOLVER_FORMS.includes(doc.resolver)) return;
  throw new MooringError("RESOLVER_UNKNOWN", `release ${releaseName(newest.release)} is in resolver form ${doc.resolver}`, {
    why: `this version resolves ${FORMS}, and signing that would take the fleet back to an older form; nothing was signed`,
    fix: "run a version of mooring that resolves this form; `mooring --version` prints this one",
    have: doc.resolver,
  });
}

/** Throws RESOLVER_UNKNOWN for a form that this version does not resolve. */
export function checkForm(form: number, what: string): void {
  if (RESOLVER_FORMS.includes(form)) return;
  throw new MooringError("RESOLVER_UNKNOWN", `${what} is in resolver form ${form}`, {
    why: `this version resolves ${FORMS}`,
  });
}

/** RESOLVER_UNKNOWN where people have released, above `serial`, in a form that this version does not resolve: a newer one must read it. Null otherwise. Pure. */
export function unknownForm(branch: Branch, holds: Holds, serial: number): MooringError | null {
  const head = branch.releases.find(
    (item) =>
      item.release.doc.serial > serial &&
      !RESOLVER_FORMS.includes(item.release.doc.resolver) &&
      isComplete({ head: item, releases: branch.releases, holds }), // anybody may push one that nobody released
  );
  if (head === undefined) return null;
  const { release } = head;
  const signed = signedBy(head);
  const by = signed.length === 0 ? "" : `, signed by ${signed.join(", ")},`;
  return new MooringError("RESOLVER_UNKNOWN", `release ${releaseName(release)}${by} is in resolver form ${release.doc.resolver}`, {
    why: `this version resolves ${FORMS}; what ran before goes on running`,
    fix: "run a version of mooring that resolves this form; `mooring --version` prints this one",
  });
}
