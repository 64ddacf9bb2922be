import type { SourceLine } from "#plan/index.ts";
import { caret, type Finding } from "#reconciler/desired/index.ts";
import { type CommitStatus, footerOf, type Review, statusesOf } from "../review/index.ts";
import { count, type Effect, effectsOf, placeOf, policyWords, shortRevision, someOf, totals } from "./content.ts";
import { findingLines, findingTitle } from "./finding-lines.ts";
import type { RenderOptions } from "./options.ts";
import { type Paint, painter } from "./paint.ts";
import { oneLine } from "./plain.ts";
import { groupLines } from "./steps.ts";
import { columns, wrap } from "./wrap.ts";

const NAMES = 6;

/** The review for a terminal: what hurts first, wrapped at `width` columns between words; no name, place or digest is ever cut. Piped (no width) every
 *  entry is one line. Pure. */
export function renderTable(review: Review, { width = null, color = false, note, lineOf = () => null }: RenderOptions = {}): string {
  const page: Page = { paint: painter(color), width: width === null ? Infinity : Math.max(40, width), lineOf };
  const sections = [
    headOf(review, page),
    note === undefined ? [] : wrap(page.paint("yellow", oneLine(note)), page.width),
    list("Goes", goes(review, page), page),
    list("Disrupts", disrupted(review, page), page),
    list("Access", access(review, page), page),
    list("Reach", columns(["PLUGIN", "PARTITION", "MACHINES"], reach(review), page.width - 2), page),
    list("Policies", policyWords(review).map(oneLine), page),
    list("Signatures", columns(["ROLE", "MISSING", "SIGNED", "BECAUSE"], roles(review), page.width - 2), page),
    list("Hub settings (no signature covers them)", review.plan.hub.map(oneLine), page),
    list("Findings", findings(review, page), page),
    list("Steps", steps(review, page), page),
    list("Live", live(review), page),
    footOf(review, page),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

type Page = { readonly paint: Paint; readonly width: number; readonly lineOf: NonNullable<RenderOptions["lineOf"]> };

function list(title: string, items: readonly string[], { paint, width }: Page): readonly string[] {
  if (items.length === 0) return [];
  return [paint("bold", title), ...items.flatMap((item) => wrap(item, width - 2).map((line) => `  ${line}`))];
}

function headOf(review: Review, { paint, width }: Page): readonly string[] {
  const { base, head, pr, fleet } = review;
  const what = `${base === null ? "" : `${shortRevision(base)} → `}${shortRevision(head)}${pr === null ? "" : ` (pull request ${pr})`}`;
  return wrap(`${paint("bold", fleet === "" ? "fleet" : `fleet ${oneLine(fleet)}`)}: ${totals(review)}; ${oneLine(what)}`, width);
}

function goes(review: Review, { paint }: Page): readonly string[] {
  return [
    ...review.deletions.map(({ kind, name, at, machines }) =>
      entry(`${paint("red", `- ${oneLine(kind)} ${oneLine(name)}`)}${kind === "Machine" ? "" : `, from ${count(machines, "machine")}`}`, [
        at,
      ]),
    ),
    ...effectsOf(review)
      .filter(isRemoval)
      .map((item) => effectLine(item, paint, "red")),
    ...review.renames.map(({ kind, from, to, at }) => entry(`~ ${oneLine(kind)} ${oneLine(from)} is now ${oneLine(to)}`, [at])),
  ];
}

function disrupted(review: Review, { paint }: Page): readonly string[] {
  return effectsOf(review)
    .filter((item) => !isRemoval(item))
    .map((item) => effectLine(item, paint, "yellow"));
}

function isRemoval({ what }: Effect): boolean {
  return what === "stops" || what === "is removed";
}

function effectLine({ key, what, machines, because }: Effect, paint: Paint, color: "red" | "yellow"): string {
  return entry(`${paint(color, `${color === "red" ? "-" : "!"} ${oneLine(key)} ${what}`)} on ${onMachines(machines)}`, because);
}

function access({ access: all }: Review, { paint }: Page): readonly string[] {
  const LOOK = { gains: ["+", "yellow"], changes: ["~", "yellow"], loses: ["-", "cyan"] } as const;
  return all.map(({ verb, who, what, how, machines, because }) => {
    const [sign, color] = LOOK[verb];
    const on = machines.length === 0 ? "" : ` on ${onMachines(machines)}`;
    const said = `${oneLine(who)}${on} ${verb} ${oneLine(what)}`;
    return entry(`${paint(color, `${sign} ${said}`)}${how === "" ? "" : ` (${oneLine(how)})`}`, because);
  });
}

function entry(text: string, because: readonly SourceLine[]): string {
  return because.length === 0 ? text : `${text}, by ${because.map((line) => oneLine(placeOf(line))).join(", ")}`;
}

function onMachines(names: readonly string[]): string {
  const shown = names.map(oneLine);
  return names.length <= NAMES ? shown.join(", ") : `${count(names.length, "machine")} (${someOf(shown, NAMES)})`;
}

function reach({ blast }: Review): readonly (readonly string[])[] {
  return blast.map(({ plugin, partition, machines, of }) => [oneLine(plugin), oneLine(partition), `${machines} of ${of}`]);
}

function findings({ findings: all }: Review, { paint, width, lineOf }: Page): readonly string[] {
  const COLOR = { error: "red", warning: "yellow", notice: "cyan" } as const;
  return all.flatMap((item) => [
    paint(COLOR[item.level], oneLine(findingTitle(item))),
    ...findingLines(withExcerpt(item, lineOf), width - 2).map((line) => oneLine(line)),
  ]);
}

/** The line it is about with a caret, where its text is known: on a person's own terminal, not in what is posted. */
function withExcerpt(item: Finding, lineOf: Page["lineOf"]): Finding {
  const text = item.excerpt === undefined ? lineOf(item.file, item.line) : null;
  if (text === null || text.trim() === "" || item.col > text.length + 1) return item;
  const endLine = item.endLine === item.line ? 1 : 2;
  return { ...item, excerpt: caret(text, { line: 1, col: item.col, endLine, endCol: item.endCol }) };
}

function steps({ plan }: Review, { paint }: Page): readonly string[] {
  return plan.groups.flatMap((group) =>
    groupLines(group).map((line) => {
      const text = oneLine(line);
      if (text.startsWith("@@ ")) return paint("bold", text.slice(3, -3));
      return text.startsWith("-") ? paint("red", text) : text.startsWith("!") ? paint("yellow", text) : text;
    }),
  );
}

function live({ live: seen }: Review): readonly string[] {
  if (seen === null) return [];
  const some = (names: readonly string[]): string => (names.length === 0 ? "none" : onMachines(names));
  return [`seen ${oneLine(seen.observedAt)}: ${seen.inSync} in sync`, `drifted: ${some(seen.drifted)}`, `offline: ${some(seen.offline)}`];
}

function roles({ roles: rows }: Review): readonly (readonly string[])[] {
  return rows.map(({ role, because, signed, missing }) => [
    role,
    missing === null ? "complete" : `${missing.need} of ${missing.anyOf.map(oneLine).join(", ")}${missing.touch ? ", touched" : ""}`,
    signed.map(oneLine).join(", "),
    because.map((line) => oneLine(placeOf(line))).join(", "),
  ]);
}

function footOf(review: Review, { paint, width }: Page): readonly string[] {
  const COLOR: Readonly<Record<CommitStatus["state"], "green" | "red" | "yellow">> = {
    success: "green",
    failure: "red",
    pending: "yellow",
  };
  return [
    ...statusesOf(review).flatMap(({ context, state, description }) =>
      wrap(`${paint(COLOR[state], `${context} ${state}`)}: ${oneLine(description)}`, width),
    ),
    ...footerOf(review).flatMap((line) => wrap(oneLine(line), width)),
  ];
}
