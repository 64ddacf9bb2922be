import type { SourceLine } from "#plan/index.ts";
import { clipped, oneLine } from "./plain.ts";

/** Text of others in markdown. It stands in code spans and fences, where forges link no names, numbers or addresses; only text that can't be anything
 *  but words stands free. */

const MAX = 300;

/** A code span that shows exactly `text`, on one line, also in a table. Pure. */
export function code(text: string, max = MAX): string {
  const line = clipped(text, max).trim();
  if (line === "") return "–";
  // In a table neither a bar nor a backslash means the same as elsewhere, and backticks would end the span.
  return /[`|\\]/.test(line) ? `<code>${entities(line)}</code>` : `\`${line}\``;
}

/** Words stay words, all else becomes a code span: names, addresses, numbers of issues, mentions, mark-up. Pure. */
export function prose(text: string): string {
  return isHarmless(text) ? text : code(text);
}

function isHarmless(text: string): boolean {
  return (
    text.length <= MAX &&
    /^[\p{L}\p{N}'"(](?:[\p{L}\p{N} ,;()'"→%-]|[:.](?= |$))*$/u.test(text) &&
    !/GH-\d|www|--|\b[0-9a-f]{7,64}\b/iu.test(text)
  );
}

/** Characters that could mean something, as numbers: what is left is letters, digits and spaces. */
function entities(text: string): string {
  return text.replace(/[^\p{L}\p{N} ]/gu, (char) => `&#${char.codePointAt(0)};`);
}

/** A block that shows `lines` as they are; its fence is longer than any in them. Pure. */
export function fence(lines: readonly string[], lang = ""): string {
  const plain = lines.map((line) => clippedKeepingIndent(line));
  const longest = Math.max(2, ...plain.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)));
  const mark = "`".repeat(longest + 1);
  return `${mark}${lang}\n${plain.join("\n")}\n${mark}`;
}

function clippedKeepingIndent(line: string): string {
  return line.length > 2 * MAX ? clipped(line, 2 * MAX) : oneLine(line);
}

/** `file:line`, and a link to it where the forge's address is known. Pure. */
export function placeLink({ file, line }: SourceLine, tree: string | null): string {
  const shown = code(`${file}:${line}`);
  if (tree === null || shown.startsWith("<") || file.length > MAX) return shown;
  return `[${shown}](${tree}${file.toWellFormed().split("/").map(segment).join("/")}#L${line})`;
}

/** Brackets are left alone by encodeURIComponent, and would end the link. */
function segment(part: string): string {
  return encodeURIComponent(part).replace(/[()'*!~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
