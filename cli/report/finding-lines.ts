import type { Finding } from "#reconciler/desired/index.ts";
import { ruleOf } from "./fingerprint.ts";

/** "grants/mail.yaml:9:5 error POLICY_DENIED/prefer-egress/1". Pure. */
export function findingTitle(item: Finding): string {
  const { file, line, col, level } = item;
  return `${file}:${line}:${col} ${level} ${ruleOf(item)}`;
}

/** What it says, the line with a caret under the mistake within `width` columns, and what to do. Pure. */
export function findingLines({ message, fix, excerpt, also = [] }: Finding, width = Infinity): readonly string[] {
  const shown = excerpt === undefined ? [] : aroundCaret(excerpt.split("\n"), width - INDENT.length).map((line) => `${INDENT}${line}`);
  const see = also.length === 0 ? [] : [`  see also ${also.map(({ file, line, col }) => `${file}:${line}:${col}`).join(", ")}`];
  return [`  ${message}`, ...shown, ...see, `  fix: ${fix}`];
}

const INDENT = "    ";

/** The part of a line that its caret is under; wrapped, the caret would point elsewhere. */
function aroundCaret(lines: readonly string[], width: number): readonly string[] {
  if (lines.every((line) => line.length <= width)) return lines;
  const at = Math.max(0, lines[1]?.indexOf("^") ?? 0);
  const from = Math.max(0, at - Math.floor(width / 2));
  return lines.map((line) => line.slice(from, from + width).toWellFormed());
}
