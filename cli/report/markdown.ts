import type { SourceLine } from "#plan/index.ts";
import { type CommitStatus, footerOf, type Review, statusesOf } from "../review/index.ts";
import { count, type Effect, effectsOf, policyWords, shortRevision, totals } from "./content.ts";
import { findingLines, findingTitle } from "./finding-lines.ts";
import { fit, type Part } from "./fit.ts";
import { code, fence, placeLink, prose } from "./markdown-text.ts";
import type { RenderOptions } from "./options.ts";
import { clipped } from "./plain.ts";
import { groupLines } from "./steps.ts";
import { wrap } from "./wrap.ts";

/** The longest comment that GitHub takes, in characters. */
export const MAX_COMMENT = 65_536;
/** And the most a step may add to its summary, in bytes. */
export const MAX_SUMMARY = 1 << 20;

const NAMES = 6;
const ROLE_NAMES = 12;

/** What a comment of ours begins with, so that it is found again and updated; the same for all runs over one fleet. Pure. */
export function markerOf(fleet: string): string {
  return `<!-- mooring-plan:${fleet.replaceAll(/[^A-Za-z0-9._-]/g, "").slice(0, 100)} -->`;
}

/** A comment for the pull request: what goes, is disrupted and gains access open at the top, the rest to be opened. Cut from the details upwards where it
 *  would be too long. Pure. */
export function renderMarkdown(review: Review, options: RenderOptions = {}): string {
  const { limit = { max: MAX_COMMENT, in: "units" } } = options;
  const measure = limit.in === "bytes" ? (text: string): number => Buffer.byteLength(text, "utf8") : (text: string): number => text.length;
  const head = headOf(review, options);
  const foot = footOf(review);
  const room = limit.max - measure(head) - measure(foot) - 1;
  return `${`${head}${fit(partsOf(review, options), room, measure)}${foot}`.trimEnd()}\n`;
}

const ICON: Readonly<Record<CommitStatus["state"], string>> = { success: "✅", failure: "❌", pending: "⏳" };

function headOf(review: Review, { note }: RenderOptions): string {
  const { base, head, pr, fleet } = review;
  const what = `${base === null ? "" : `${code(shortRevision(base))} → `}${code(shortRevision(head))}${pr === null ? "" : ` in pull request ${pr}`}`;
  const statuses = statusesOf(review).map(
    ({ context, state, description }) => `${ICON[state]} **${context}** ${description.split(" · ").map(prose).join(" · ")}`,
  );
  return [
    markerOf(fleet),
    `### mooring plan${fleet === "" ? "" : ` for ${code(fleet)}`}`,
    "",
    statuses.join("<br>\n"),
    "",
    ...(note === undefined ? [] : [`> ⚠️ ${prose(note)}`, ""]),
    `**${totals(review)}** (${what})`,
    "",
    "",
  ].join("\n");
}

function partsOf(review: Review, { links }: RenderOptions): readonly Part[] {
  const at = placesBy(links?.head ?? null);
  const was = placesBy(links?.base ?? null);
  const errors = review.findings.filter(({ level }) => level === "error");
  const others = review.findings.filter(({ level }) => level !== "error");
  const gains = review.access.filter(({ verb }) => verb === "gains");
  const changes = review.access.filter(({ verb }) => verb !== "gains");
  const list = (title: string, items: readonly string[], rank: number): Part => ({
    open: `**${title}**\n`,
    items: items.map((item) => `- ${item}\n`),
    close: "\n",
    rank,
    more: (left) => `- … and ${left} more: \`mooring plan\` shows them\n`,
  });
  return [
    list("Goes", goes(review, was, at), 0),
    list("Disrupts", disrupted(review, at), 0),
    list("Gains access", gains.map(accessItem(at)), 0),
    list("Changes and losses of access", changes.map(accessItem(at, was)), 3),
    reachPart(review),
    list("Policies", policyWords(review).map(prose), 1),
    rolesPart(review, at),
    list("Next", nextOf(review), 0),
    list(
      "Hub settings (no signature covers them: they count once this is merged)",
      review.plan.hub.map((line) => code(line)),
      4,
    ),
    list("Live", liveWords(review), 4),
    findingsPart("Errors", errors, 2),
    findingsPart("Warnings and notices", others, 5),
    stepsPart(review),
  ];
}

type Places = (lines: readonly SourceLine[]) => string;

function placesBy(tree: string | null): Places {
  return (lines) => (lines.length === 0 ? "" : `, by ${lines.map((line) => placeLink(line, tree)).join(", ")}`);
}

function machinesOf(names: readonly string[]): string {
  const shown = names.slice(0, NAMES).map((name) => code(name, 100));
  if (names.length === 1) return shown[0]!;
  return `**${count(names.length, "machine")}** (${shown.join(", ")}${names.length > NAMES ? ", …" : ""})`;
}

function goes(review: Review, was: Places, is: Places): readonly string[] {
  const objects = review.deletions.map(
    ({ kind, name, at, machines }) =>
      `🗑️ ${prose(kind)} ${code(name)}${kind === "Machine" ? "" : `, from **${count(machines, "machine")}**`}${was([at])}`,
  );
  const sections = effectsOf(review).filter(isRemoval).map(effectItem(was));
  const renames = review.renames.map(({ kind, from, to, at }) => `✏️ ${prose(kind)} ${code(from)} is now ${code(to)}${is([at])}`);
  return [...objects, ...sections, ...renames];
}

function disrupted(review: Review, at: Places): readonly string[] {
  return effectsOf(review)
    .filter((item) => !isRemoval(item))
    .map(effectItem(at));
}

function isRemoval({ what }: Effect): boolean {
  return what === "stops" || what === "is removed";
}

function effectItem(places: Places): (item: Effect) => string {
  return ({ key, what, machines, because }) => `${code(key)} **${what}** on ${machinesOf(machines)}${places(because)}`;
}

function accessItem(at: Places, was: Places = at): (item: Review["access"][number]) => string {
  return ({ verb, who, what, how, machines, because }) => {
    const on = machines.length === 0 ? "" : ` on ${machinesOf(machines)}`;
    return `${code(who)}${on} **${verb}** ${code(what)}${how === "" ? "" : `: ${prose(how)}`}${(verb === "loses" ? was : at)(because)}`;
  };
}

function rolesPart({ roles }: Review, at: Places): Part {
  const names = (all: readonly string[]): string =>
    `${all
      .slice(0, ROLE_NAMES)
      .map((name) => code(name, 100))
      .join(", ")}${all.length > ROLE_NAMES ? ` and ${all.length - ROLE_NAMES} more` : ""}`;
  const rows = roles.map(({ role, because, signed, missing }) => {
    const open =
      missing === null
        ? "complete ✅"
        : `**${missing.need}** of ${names(missing.anyOf)}${missing.touch ? ", touching a hardware key" : ""}`;
    const why = at(because).replace(/^, by /, "");
    return `| ${role} | ${why === "" ? "–" : why} | ${signed.length === 0 ? "–" : names(signed)} | ${open} |\n`;
  });
  return {
    open: "**Signatures**\n\n| role | because | signed | missing |\n|---|---|---|---|\n",
    items: rows,
    close: "\n",
    rank: 0,
    more: (left) => `| … | ${left} more | | |\n`,
  };
}

function nextOf(review: Review): readonly string[] {
  return footerOf(review).map((line) =>
    line
      .split(": ")
      .map((part) => (part.startsWith("mooring ") ? code(part) : prose(part)))
      .join(": "),
  );
}

function reachPart({ blast }: Review): Part {
  return {
    open: "**Reach**\n\n| plugin | partition | machines |\n|---|---|---|\n",
    items: blast.map(
      ({ plugin, partition, machines, of }) => `| ${code(plugin)} | ${partition === "" ? "–" : code(partition)} | ${machines} of ${of} |\n`,
    ),
    close: "\n",
    rank: 4,
    more: (left) => `| … | ${left} more | |\n`,
  };
}

function liveWords({ live }: Review): readonly string[] {
  if (live === null) return [];
  const some = (names: readonly string[]): string => (names.length === 0 ? "none" : machinesOf(names));
  return [
    `the hub last looked at ${code(live.observedAt)}: ${live.inSync} in sync, drifted: ${some(live.drifted)}, offline: ${some(live.offline)}`,
  ];
}

function findingsPart(title: string, findings: Review["findings"], rank: number): Part {
  const isOpen = title === "Errors";
  const blocks = findings.map((item) => `${fence(narrow([findingTitle(item), ...findingLines(item, COLUMNS)]))}\n\n`);
  return {
    open: `<details${isOpen ? " open" : ""}><summary><b>${title} (${findings.length})</b></summary>\n\n`,
    items: blocks,
    close: "</details>\n\n",
    rank,
    more: (left) => `… and ${left} more: \`mooring plan\` shows them\n\n`,
  };
}

function stepsPart({ plan }: Review): Part {
  return {
    open: `<details><summary><b>Steps on ${count(plan.steps.size, "machine")}</b></summary>\n\n`,
    items: plan.groups.map((group) => `${fence(narrow(groupLines(group)), "diff")}\n\n`),
    close: "</details>\n\n",
    rank: 6,
    more: (left) => `… and ${count(left, "more group")} of machines: \`mooring plan\` shows them\n\n`,
  };
}

// A comment is some 90 columns wide; what is wider scrolls, and nobody scrolls.
const COLUMNS = 88;

function narrow(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => wrap(clipped(line, 600), COLUMNS));
}

function footOf({ release, roles }: Review): string {
  if (release.verified || roles.length === 0) return "";
  return "<sub>Signatures were judged by what the base itself says of its signers, not from a pinned trust root.</sub>\n";
}
