import { printable } from "#base/text/index.ts";
import { planJson, planText } from "#plan/index.ts";
import type { Finding } from "#reconciler/desired/index.ts";
import type { AccessChange, Review } from "./review.ts";
import { footerOf, statusesOf } from "./statuses.ts";

const MAX_NAMES = 6;

/** A review as plain lines: what goes first, then access, then who signs. Ends with a line break. Pure. */
export function reviewText(review: Review): string {
  const { findings, deletions, renames, access, blast, roles, plan } = review;
  const parts = [
    findings.map(findingLine).join("\n"),
    section(
      "goes:",
      deletions.map(({ kind, name, at, machines }) => `- ${kind} ${name}, on ${count(machines, "machine")}, by ${place(at)}`),
    ),
    section(
      "renamed:",
      renames.map(({ kind, from, to, at }) => `${kind} ${from} is now ${to}, by ${place(at)}`),
    ),
    section("access:", access.map(accessLine)),
    section(
      "reach:",
      blast.map(({ plugin, partition, machines, of }) => `${plugin}${partition === "" ? "" : ` ${partition}`}: ${machines} of ${of}`),
    ),
    planText(plan).trimEnd(),
    section("signatures:", roles.map(roleLine)),
    [...statusesOf(review).map(({ context, state, description }) => `${context} ${state}: ${description}`), ...footerOf(review)]
      .map(printable)
      .join("\n"),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** A review for programs, with its two statuses. Plain data, stable order. Pure. */
export function reviewJson(review: Review): string {
  return `${JSON.stringify({ ...review, plan: planJson(review.plan), statuses: statusesOf(review) }, null, 2)}\n`;
}

/** "plugin mail-triage on 12 machines gains secret://team/db (by fd), by plugins/mail.yaml:14". Pure. */
export function accessLine({ verb, who, what, how, machines, because }: AccessChange): string {
  const on = machines.length === 0 ? "" : ` on ${machines.length <= MAX_NAMES ? machines.join(", ") : count(machines.length, "machine")}`;
  const by = because.length === 0 ? "" : `, by ${because.map(place).join(", ")}`;
  return `${who}${on} ${verb} ${what}${how === "" ? "" : ` (${how})`}${by}`;
}

function roleLine({ role, because, signed, missing }: Review["roles"][number]): string {
  const who = missing === null ? "complete" : `${missing.need} of ${missing.anyOf.join(", ")}${missing.touch ? ", touched" : ""}`;
  return `${role.padEnd(7)}  ${who}${signed.length === 0 ? "" : `; signed: ${signed.join(", ")}`}${because.length === 0 ? "" : `  (${because.map(place).join(", ")})`}`;
}

function findingLine({ file, line, col, level, code, message, fix }: Finding): string {
  return `${printable(`${file}:${line}:${col} ${level} ${code} ${message}`)}\n  fix: ${printable(fix)}`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [title, ...lines.map((line) => `  ${printable(line)}`)].join("\n");
}

function place({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file}:${line}`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
