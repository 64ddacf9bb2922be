import { type Place, type Problem, problem, START, yamlProblem } from "./finding.ts";

const MAX_LINES = 20_000;
const MAX_MARKS = 5_000; // a fleet file has some hundreds; 20,000 keys take the parser 0.3 s, measured 2026-11
const MAX_OPEN = 64; // nested brackets cost the parser quadratic time: measured 3 s for 100,000

/** UTF-8 text without its byte order mark, or null. */
export function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** What in a text is refused before a parser sees it: characters that a reviewer can't see or that are shown in another order than they are read
 *  (Trojan Source, CVE-2021-42574), and more structure than a document of ours ever has. One pass; the first place, or null. */
export function checkText(text: string): Problem | null {
  let line = 1;
  let start = 0;
  let marks = 0;
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    const here = (): Place => ({ line, col: Math.max(1, i - start + 1), endLine: line, endCol: Math.max(1, i - start + 1) + 1 });
    if (char === LF) {
      line++;
      start = i + 1;
      if (line > MAX_LINES) return tooMuch(here(), `more than ${MAX_LINES} lines`);
      continue;
    }
    const hidden = hiddenAt(text, i, char);
    if (hidden !== null) return problem("FLEET_FILE_UNREADABLE", i === 0 ? START : here(), hidden, hiddenFix(char));
    if (char === TAB && i === start) return yamlProblem("tab", here(), "a tab where spaces belong", "indent with spaces");
    if (char === PERCENT && i === start) return yamlProblem("directive", here(), "a % directive");
    if (char === TAB && isIndent(text, start, i)) marks += TAB_MARKS;
    if (char > 125 || MARK[char] !== 1 || (char === DASH && text.charCodeAt(i + 1) > 32)) continue;
    if (char === OPEN_LIST || char === OPEN_MAP) open++;
    else if ((char === OPEN_LIST + 2 || char === OPEN_MAP + 2) && open > 0) open--;
    if (open > MAX_OPEN) return tooMuch(here(), `more than ${MAX_OPEN} brackets open at once`);
    if (++marks > MAX_MARKS) return tooMuch(here(), `more than ${MAX_MARKS} fields, items and quotes in one file`);
  }
  return null;
}

const TAB = 9;
const TAB_MARKS = 4; // a tab in the indentation costs the parser several errors
const LF = 10;
const CR = 13;
const DASH = 45;
const PERCENT = 37;
const OPEN_LIST = 91;
const OPEN_MAP = 123;

/** Characters that may give the parser work, by code. */
const MARK: readonly (0 | 1)[] = Array.from({ length: 126 }, (_, code) =>
  "[]{},:?&*!|>'\"%@`-".includes(String.fromCharCode(code)) ? 1 : 0,
);

function isIndent(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (text.charCodeAt(i) !== 32) return false;
  return true;
}

function tooMuch(place: Place, message: string): Problem {
  return yamlProblem("size", place, message, "split the document, or move data that a plugin reads into its bundle");
}

function hiddenAt(text: string, i: number, char: number): string | null {
  if (char >= 32 && char < 127) return null;
  if (char === TAB) return null;
  if (char === CR) return text.charCodeAt(i + 1) === LF ? null : "a carriage return that ends no line";
  if (char === 0xfeff) return i === 0 ? "a byte order mark before the text" : named(char);
  if (char < 32 || (char >= 127 && char < 160)) return `a control character (${codeOf(char)})`;
  const isTurned =
    char === 0x61c || (char >= 0x200b && char <= 0x200f) || (char >= 0x2028 && char <= 0x202e) || (char >= 0x2060 && char <= 0x2069);
  return isTurned ? named(char) : null;
}

function named(char: number): string {
  return `a character that nobody sees (${codeOf(char)})`;
}

function codeOf(char: number): string {
  return `U+${char.toString(16).toUpperCase().padStart(4, "0")}`;
}

function hiddenFix(char: number): string {
  if (char === 0xfeff) return "save the file as UTF-8 without a byte order mark";
  return char === CR ? "end lines with a line feed" : 'remove it, or write it as an escape in double quotes, such as "\\u200b"';
}
