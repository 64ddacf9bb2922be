import { msOf, type Time } from "#base/time/index.ts";
import { planText } from "#plan/index.ts";
import { lifetimeOf, type Missing, ROLE_NAMES, type Trust, workflowName } from "#proof/release/index.ts";
import { roleWords } from "../role-words.ts";
import type { Case } from "./case.ts";

const DAY_MS = 86_400_000;

/** What an outcome changes and how it stands, for people. `what` names it: "main", "the merge of x". Ends with a line break. */
export function caseText(item: Case, what: string, now: Time): string {
  const text = `${planText(item.plan)}${item.isTrustNew ? trustText(item.trust) : nobodyText(item.trust)}`;
  const { serial, expires } = item.head.release.doc;
  const lifts = [
    ...item.lifts.map((digest) => `lifts the revocation ${digest}\n`),
    ...item.withdrawn.map(({ release, by }) => `release ${release.release.doc.serial} no longer counts: ${by.join(", ")} took it back\n`),
  ].join("");
  if (item.missing.length > 0) {
    const name = item.isNew ? `release ${serial}` : `release ${serial} (on the branch already)`;
    return `${text}${lifts}\n${name} for ${what} needs:\n${missingText(item.missing, item.trust)}${renewalText(item, now)}`;
  }
  const covered = `release ${serial} covers ${what}, until ${expires.slice(0, 10)} (${daysUntil(expires, now)})`;
  if (item.plan.steps.size > 0) return `${text}${lifts}\n${covered}\n${renewalText(item, now)}`;
  return `${text.replace("0 changes", `0 changes: ${covered}`)}${renewalText(item, now)}`;
}

/** From three quarters of its lifetime on: that what covers the outcome is to be renewed. */
function renewalText({ head, secrets, isNew }: Case, now: Time): string {
  const docs = [...(isNew ? [] : [head.release.doc]), ...(secrets.at === "signed" ? [secrets.signed.doc] : [])];
  return docs.some((doc) => lifetimeOf(doc, now) !== "fresh") ? "three quarters of its lifetime are over: `mooring release --renew`\n" : "";
}

/** Roles that no person signs for, in every plan: nobody should have to remember it. */
function nobodyText({ section }: Trust): string {
  const roles = ROLE_NAMES.filter((role) => section.roles[role].by !== "people").map((role) => `${role}: ${wordsOf(section.roles[role])}`);
  return roles.length === 0 ? "" : `signed without a person: ${roles.join(" · ")}\n`;
}

function wordsOf({ by, threshold, principals, identity }: Trust["section"]["roles"]["root"]): string {
  return roleWords({ by, threshold, principals: identity === undefined ? principals : [workflowName(identity)] });
}

/** Whom the fleet trusts under this section: what the root role is asked to read. */
function trustText({ leaf, section }: Trust): string {
  const keys = (principal: string): string => {
    const count = section.keys[principal]?.length ?? 0;
    return count === 1 ? principal : `${principal} (${count} keys)`;
  };
  const rows = ROLE_NAMES.map((role) => {
    const { by, threshold, principals, touch } = section.roles[role];
    if (by !== "people") return `  ${role.padEnd(7)}  ${wordsOf(section.roles[role])}\n`;
    return `  ${role.padEnd(7)}  ${by}: ${threshold} of ${principals.map(keys).join(", ")}${touch === "required" ? ", touched" : ""}\n`;
  });
  const actions = section.actions.map(({ actions, principals }) => `  ${actions.join(", ")}: ${principals.map(keys).join(", ")}\n`);
  return `\nwho is trusted then (${leaf}):\n${[...rows, ...actions].join("")}`;
}

/** A line for each role that still has to sign. `trust` says which signatures have to be touched. */
export function missingText(missing: readonly Missing[], trust?: Trust): string {
  const isTrustStep = missing.filter(({ role }) => role === "root").length > 1;
  const rows = missing.map(({ role, classes, have, need, principals }, i) => {
    const left = principals.filter((principal) => !have.includes(principal));
    const who = left.length === 0 ? "nobody who could is named" : `${need - have.length} of ${left.join(", ")}`;
    const touch = trust?.section.roles[role].touch === "required" ? ", with a touch" : "";
    const signed = have.length === 0 ? "" : `; signed: ${have.join(", ")}`;
    const named = classes.filter((name) => name !== role);
    const changed = isTrustStep && role === "root" ? [i === 0 ? "trust as it is" : "trust as it will be"] : named;
    return { role, text: `${who}${touch}${signed}${changed.length === 0 ? "" : `  (${changed.join(", ")})`}` };
  });
  const width = Math.max(...rows.map(({ role }) => role.length));
  return rows.map(({ role, text }) => `  ${role.padEnd(width)}  ${text}\n`).join("");
}

function daysUntil(expires: Time, now: Time): string {
  const days = Math.floor((msOf(expires) - msOf(now)) / DAY_MS);
  return days === 1 ? "1 day" : `${days} days`;
}
