import { join } from "node:path";
import type { Finding } from "#reconciler/desired/index.ts";
import type { Paint } from "../report/paint.ts";
import { excerptOf, HIDDEN } from "./excerpt.ts";

/** How findings look: `folder` goes before paths, so that a terminal can open them from where the person stands. */
export type Look = { readonly paint: Paint; readonly folder: string; readonly textOf: (file: string) => string | null };

/** A finding for a terminal: place, level, code and message on one line, then the line itself, where else to look, and what to do. */
export function findingBlock(item: Finding, { paint, folder, textOf }: Look): string {
  const { file, line, col, level, code, rule, message, fix, also = [] } = item;
  const spot = (place: { readonly file: string; readonly line: number; readonly col: number }): string =>
    `${join(folder, printable(place.file))}:${place.line}:${place.col}`;
  const color = level === "error" ? "red" : level === "warning" ? "yellow" : "cyan";
  const word = level === "error" ? "" : `${paint(color, level)} `;
  const head = `${paint("bold", spot({ file, line, col }))} ${word}${paint(color, code)} ${printable(message)}${rule === undefined ? "" : ` (${rule})`}\n`;
  return `${head}${excerptText(item, textOf(file), (text) => paint(color, text))}${also.map((place) => `  see  ${spot(place)}\n`).join("")}  fix: ${fix}\n`;
}

/** Names of files may hold anything, and messages name files: nothing of it may reach a terminal as more than text. */
function printable(text: string): string {
  return text.replaceAll(HIDDEN, "?");
}

function excerptText(item: Finding, text: string | null, mark: (text: string) => string): string {
  if (item.excerpt !== undefined) return `${item.excerpt.replaceAll(/^/gm, "  | ")}\n`;
  const lines = text === null ? null : excerptOf(item, text);
  if (lines === null) return "";
  const [line, caret] = lines;
  const at = caret.indexOf("^");
  return `  ${line}\n  ${caret.slice(0, at)}${mark(caret.slice(at))}\n`;
}

/** "2 errors, 1 warning in 2 files"; "" without findings. */
export function countText(findings: readonly Finding[]): string {
  const count = (level: Finding["level"], word: string): string[] => {
    const n = findings.filter((item) => item.level === level).length;
    return n === 0 ? [] : [`${n} ${word}${n === 1 ? "" : "s"}`];
  };
  const parts = [...count("error", "error"), ...count("warning", "warning"), ...count("notice", "notice")];
  const files = new Set(findings.map(({ file }) => file)).size;
  return parts.length === 0 ? "" : `${parts.join(", ")} in ${files} ${files === 1 ? "file" : "files"}`;
}
