import { msOf, type Time } from "#base/time/index.ts";
import { planText } from "#plan/index.ts";
import type { Missing } from "#proof/release/index.ts";
import type { Case } from "./case.ts";

const DAY_MS = 86_400_000;

/** What an outcome changes and how it stands, for people. `what` names it: "main", "the merge of x". Ends with a line break. */
export function caseText(item: Case, what: string, now: Time): string {
  const text = planText(item.plan);
  const { serial, expires } = item.head.release.doc;
  const lifts = item.lifts.map((digest) => `lifts the revocation ${digest}\n`).join("");
  if (item.missing.length > 0) {
    const name = item.isNew ? `release ${serial}` : `release ${serial} (on the branch already)`;
    return `${text}${lifts}\n${name} for ${what} needs:\n${missingText(item.missing)}`;
  }
  const covered = `release ${serial} covers ${what}, until ${expires.slice(0, 10)} (${daysUntil(expires, now)})`;
  if (item.plan.steps.size > 0) return `${text}${lifts}\n${covered}\n`;
  return text.replace("0 changes", `0 changes: ${covered}`);
}

/** A line for each role that still has to sign. */
export function missingText(missing: readonly Missing[]): string {
  const rows = missing.map(({ role, classes, have, need, principals }) => {
    const left = principals.filter((principal) => !have.includes(principal));
    const who = left.length === 0 ? "nobody who could is named" : `${need - have.length} of ${left.join(", ")}`;
    const signed = have.length === 0 ? "" : `; signed: ${have.join(", ")}`;
    const changed = classes.filter((name) => name !== role);
    return { role, text: `${who}${signed}${changed.length === 0 ? "" : `  (${changed.join(", ")})`}` };
  });
  const width = Math.max(...rows.map(({ role }) => role.length));
  return rows.map(({ role, text }) => `  ${role.padEnd(width)}  ${text}\n`).join("");
}

function daysUntil(expires: Time, now: Time): string {
  const days = Math.floor((msOf(expires) - msOf(now)) / DAY_MS);
  return days === 1 ? "1 day" : `${days} days`;
}
