import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar } from "yaml";
import type { Place } from "./finding.ts";
import { locate, type Path } from "./yaml.ts";

/** Where characters `offset`…`offset + length` of the text value at `path` stand in the file, whatever YAML style it is written in: plain, quoted or
 *  a block, over one line or several. Offsets count UTF-16 units. The value itself where there is no text at `path`. */
export function placeInScalar(text: string, path: Path, offset: number, length: number): Place {
  const lines = new LineCounter();
  const node = scalarAt(parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: "error" }).contents, path);
  if (node === null || typeof node.value !== "string" || node.range === null || node.range === undefined) return locate(text, path);
  const source = ink(node, text);
  const start = sourceOffset(node.value, source, offset);
  const end = length === 0 ? start + 1 : sourceOffset(node.value, source, offset + length - 1) + 1;
  const [from, to] = [lines.linePos(start), lines.linePos(Math.max(end, start + 1))];
  return from.line === to.line
    ? { line: from.line, col: from.col, endLine: to.line, endCol: to.col }
    : { line: from.line, col: from.col, endLine: from.line, endCol: from.col + 1 }; // a caret stays on its line
}

/** The line of `place` and a caret under it, as a terminal shows it: nothing in it moves a cursor, long lines are cut. */
export function caret(text: string, { line, col, endLine, endCol }: Place): string {
  const whole = (text.split("\n")[line - 1] ?? "")
    .replace(/\r$/, "")
    .replaceAll("\t", " ")
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, "?");
  const from = col > CUT ? col - CUT : 0;
  const shown = `${from > 0 ? "…" : ""}${whole.slice(from, from + 2 * CUT)}${whole.length > from + 2 * CUT ? "…" : ""}`;
  const width = endLine === line ? Math.max(1, Math.min(endCol - col, CUT)) : 1;
  return `${shown}\n${" ".repeat(col - 1 - from + (from > 0 ? 1 : 0))}${"^".repeat(width)}`;
}

const CUT = 60;

function scalarAt(contents: unknown, path: Path): Scalar | null {
  let node: unknown = contents;
  for (const step of path) {
    if (isMap(node)) node = node.items.find((item) => isScalar(item.key) && item.key.value === String(step))?.value;
    else if (isSeq(node)) node = node.items[Number(step)];
    else return null;
  }
  return isScalar(node) ? node : null;
}

/** File offsets of the characters of a scalar that are no white space, in order. Folding, indentation and line ends only move white space, so these
 *  are the same characters in the value. */
function ink(node: Scalar, text: string): readonly number[] {
  const [start, end] = node.range!;
  const found: number[] = [];
  if (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED") {
    const header = text.indexOf("\n", start);
    for (let i = header + 1; i < end; i++) if (!isBlank(text[i]!)) found.push(i);
    return found;
  }
  if (node.type === "QUOTE_DOUBLE") return inkOfDoubleQuoted(text, start + 1, end - 1);
  const isSingle = node.type === "QUOTE_SINGLE";
  for (let i = isSingle ? start + 1 : start; i < (isSingle ? end - 1 : end); i++) {
    if (isBlank(text[i]!)) continue;
    found.push(i);
    if (isSingle && text[i] === "'") i++; // two of them stand for one
  }
  return found;
}

const ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const BLANK_ESCAPES = "nrtvfN_LPeab0 \t\n\r";

function inkOfDoubleQuoted(text: string, start: number, end: number): readonly number[] {
  const found: number[] = [];
  for (let i = start; i < end; i++) {
    if (text[i] !== "\\") {
      if (!isBlank(text[i]!)) found.push(i);
      continue;
    }
    const kind = text[i + 1] ?? "";
    const digits = ESCAPE_DIGITS[kind] ?? 0;
    const char = digits > 0 ? String.fromCodePoint(codeOf(text.slice(i + 2, i + 2 + digits))) : BLANK_ESCAPES.includes(kind) ? "" : kind;
    for (const unit of char.split("")) if (!isBlank(unit)) found.push(i);
    i += 1 + digits;
  }
  return found;
}

function codeOf(hex: string): number {
  const code = Number.parseInt(hex, 16);
  return code <= 0x10ffff ? code : 0xfffd;
}

/** Any white space and control character: what an escape may give that we never count. */
function isBlank(char: string): boolean {
  return /[\s\u0000-\u001f\u0085\u00a0\u2028\u2029]/.test(char);
}

function sourceOffset(value: string, source: readonly number[], offset: number): number {
  let count = 0;
  for (let i = 0; i < Math.min(offset, value.length); i++) if (!isBlank(value[i]!)) count++;
  const isInk = offset < value.length && !isBlank(value[offset]!);
  if (isInk && count < source.length) return source[count]!;
  return count === 0 ? (source[0] ?? 0) : source[count - 1]! + 1;
}
