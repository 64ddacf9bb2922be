import type { Finding } from "#reconciler/desired/index.ts";

const WIDTH = 100;

/** Characters that a terminal acts on, or that nobody sees. */
export const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const HIDDEN_ONCE = new RegExp(HIDDEN.source);

/** The line of a finding with a caret under the mistake, numbered, or null where there is nothing to show. Whatever stands behind the mistake is left
 *  out, and below secrets/ the mistake itself too: a value that somebody pasted into a wrong place must not get into a build's log. Pure. */
export function excerptOf({ file, line, col, endLine, endCol }: Finding, text: string): readonly [line: string, caret: string] | null {
  const whole = (text.split("\n", line).at(line - 1) ?? "").replace(/\r$/, "").replaceAll("\t", " ");
  if (whole.trim() === "" || HIDDEN_ONCE.test(whole)) return null;
  const isKept = !file.startsWith("secrets/");
  const end = Math.min(endLine === line ? Math.max(endCol, col + 1) : whole.length + 1, whole.length + 1);
  const rest = isKept ? whole.slice(end - 1) : "?";
  const shown = whole.slice(0, isKept ? end - 1 : col - 1) + (/^:?\s*$/.test(rest) ? rest.trimEnd() : "…");
  const from = Math.max(0, Math.min(col - 20, shown.length - WIDTH)); // a long line is cut around the caret
  const cut = `${from > 0 ? "…" : ""}${shown.slice(from, from + WIDTH)}`.toWellFormed();
  const before = cut.slice(0, col - 1 - from + (from > 0 ? 1 : 0)).replaceAll(/[^\s]/g, " ");
  const width = Math.max(1, Math.min(isKept ? end - col : 1, cut.length - before.length));
  const number = String(line);
  return [`${number} | ${cut}`, `${" ".repeat(number.length)} | ${before}${"^".repeat(width)}`];
}
