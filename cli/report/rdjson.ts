import type { Finding, Level } from "#reconciler/desired/index.ts";
import type { Review } from "../review/index.ts";
import { ruleOf } from "./fingerprint.ts";
import type { RenderOptions } from "./options.ts";
import { oneLine } from "./plain.ts";

const SEVERITY: Readonly<Record<Level, string>> = { error: "ERROR", warning: "WARNING", notice: "INFO" };
// Codes whose place is exactly what is misspelt.
const MISSPELT = new Set<string>(["FLEET_FIELD_UNKNOWN", "FLEET_FIELD_INVALID", "FLEET_REFERENCE_MISSING"]);

/** reviewdog's format. Columns are bytes of UTF-8, so they need the line's text; where that is not known only the line is said. Pure. */
export function renderRdjson({ findings }: Pick<Review, "findings">, { lineOf = () => null }: RenderOptions): string {
  const diagnostics = findings.map((item) => diagnosticOf(item, lineOf));
  return `${JSON.stringify({ source: { name: "mooring" }, diagnostics }, null, 2)}\n`;
}

type Position = { readonly line: number; readonly column?: number };
type Range = { readonly start: Position; readonly end?: Position };

function diagnosticOf(item: Finding, lineOf: NonNullable<RenderOptions["lineOf"]>): unknown {
  const range = rangeOf(item, lineOf);
  const text = replacementOf(item);
  const suggestions = text === null || range.end?.column === undefined ? [] : [{ range, text }];
  return {
    message: `${oneLine(item.message)}\nfix: ${oneLine(item.fix)}`,
    location: { path: item.file, range },
    severity: SEVERITY[item.level],
    code: { value: oneLine(ruleOf(item)) },
    ...(suggestions.length === 0 ? {} : { suggestions }),
  };
}

function rangeOf({ file, line, col, endLine, endCol }: Finding, lineOf: NonNullable<RenderOptions["lineOf"]>): Range {
  const [first, last] = [lineOf(file, line), lineOf(file, endLine)];
  if (first === null || last === null || col - 1 > first.length || endCol - 1 > last.length) return { start: { line } };
  return { start: { line, column: byteColumn(first, col) }, end: { line: endLine, column: byteColumn(last, endCol) } };
}

/** The column in bytes of UTF-8 of one that counts UTF-16 units; both from 1. Half a character stands for its beginning. Pure. */
export function byteColumn(line: string, col: number): number {
  const before = line.slice(0, col - 1).replace(/[\ud800-\udbff]$/, "");
  return Buffer.byteLength(before, "utf8") + 1;
}

/** What to write instead, where the finding knows: "did you mean `x`?" at the very word. Pure. */
export function replacementOf({ code, fix, line, endLine, col, endCol }: Finding): string | null {
  if (!MISSPELT.has(code) || line !== endLine || endCol <= col) return null;
  return /^did you mean `([\w.:/-]+)`\?$/.exec(fix)?.[1] ?? null;
}
