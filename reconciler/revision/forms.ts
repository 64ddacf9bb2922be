import { MooringError } from "#base/errors/index.ts";
import type { ReleaseDoc } from "#proof/release/index.ts";

/** The forms in which this version resolves a tree, newest last: N-1 and N, once there is a second. A form is an integer of release.json, so that equal
 *  outcomes give equal documents; machines take any, since they compare roots and never resolve. */
export const RESOLVER_FORMS: readonly number[] = [1];

/** The form of the next release: a fleet changes it only by `mooring release --resolver`. Pure. */
export function formAfter(before: Pick<ReleaseDoc, "resolver"> | null): number {
  return before !== null && RESOLVER_FORMS.includes(before.resolver) ? before.resolver : (RESOLVER_FORMS.at(-1) ?? 1);
}

/** Throws RESOLVER_UNKNOWN for a form that this version does not resolve. */
export function checkForm(form: number, what: string): void {
  if (RESOLVER_FORMS.includes(form)) return;
  throw new MooringError("RESOLVER_UNKNOWN", `${what} is in resolver form ${form}`, {
    why: `this version resolves ${RESOLVER_FORMS.length === 1 ? "form" : "forms"} ${RESOLVER_FORMS.join(" and ")}`,
  });
}
