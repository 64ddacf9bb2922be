import type { Finding, Level } from "#reconciler/desired/index.ts";
import { accessLine, type Review } from "../review/index.ts";
import { count } from "./content.ts";
import { ruleOf } from "./fingerprint.ts";
import { clipped, oneLine } from "./plain.ts";

/** GitHub shows so many per level and step and drops the rest without a word. */
const PER_LEVEL = 10;
const MAX_MESSAGE = 4000;

type Annotation = Pick<Finding, "level" | "file" | "line"> & {
  readonly cols?: { readonly col: number; readonly endCol: number };
  readonly endLine?: number;
  readonly title: string;
  readonly message: string;
};

/** Workflow commands: findings, and as notices what goes and whose access grows or changes, the worst first. What is beyond GitHub's limits is counted in a last
 *  line; the step summary has all of it. Pure. */
export function renderGithub(review: Review): string {
  const all = [...review.findings.filter(({ level }) => level !== "notice").map(ofFinding), ...effects(review)];
  all.push(...review.findings.filter(({ level }) => level === "notice").map(ofFinding));
  const left: Record<Level, number> = { error: PER_LEVEL, warning: PER_LEVEL, notice: PER_LEVEL };
  const shown = all.filter(({ level }) => left[level]-- > 0);
  const rest = all.length - shown.length;
  const lines = shown.map(commandOf);
  if (rest > 0) lines.push(`${count(rest, "more annotation")} in the step summary`);
  return lines.map((line) => `${line}\n`).join("");
}

function ofFinding(item: Finding): Annotation {
  const { level, file, line, col, endLine, endCol } = item;
  const isOneLine = endLine === line && endCol > col;
  return {
    level,
    file,
    line,
    ...(endLine > line ? { endLine } : {}),
    ...(isOneLine ? { cols: { col, endCol } } : {}),
    title: ruleOf(item),
    message: `${oneLine(item.message)}\nfix: ${oneLine(item.fix)}`,
  };
}

function effects({ deletions, access }: Review): readonly Annotation[] {
  const gone = deletions.map(({ kind, name, at, machines }): Annotation => {
    const message = `${kind} ${name} goes${kind === "Machine" ? "" : `, from ${count(machines, "machine")}`}`;
    return { level: "notice", ...at, title: "deletion", message };
  });
  const other = access.filter(({ verb, because }) => verb !== "loses" && because.length > 0);
  const title = { gains: "access gained", changes: "access changed", loses: "access lost" } as const;
  return inTurns(
    gone,
    other.map((item): Annotation => ({ level: "notice", ...item.because[0]!, title: title[item.verb], message: accessLine(item) })),
  );
}

/** One of each after the other, so that many of the one kind hide none of the other. */
function inTurns<T>(one: readonly T[], other: readonly T[]): readonly T[] {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, i) => [...one.slice(i, i + 1), ...other.slice(i, i + 1)]).flat();
}

function commandOf({ level, file, line, endLine, cols, title, message }: Annotation): string {
  const place =
    cols === undefined ? (endLine === undefined ? [] : [`endLine=${endLine}`]) : [`col=${cols.col}`, `endColumn=${cols.endCol}`];
  const properties = [`file=${property(oneLine(file))}`, `line=${line}`, ...place, `title=${property(clipped(title, 200))}`];
  return `::${level} ${properties.join(",")}::${data(clippedLines(message))}`;
}

/** A message of several lines, none of them endless. */
function clippedLines(message: string): string {
  return message
    .split("\n")
    .map((line) => clipped(line, MAX_MESSAGE))
    .join("\n");
}

/** Escaped as the text of a workflow command (actions/toolkit, command.ts). Pure. */
export function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** Escaped as a property of one, where colon and comma mean something, too. Pure. */
export function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
