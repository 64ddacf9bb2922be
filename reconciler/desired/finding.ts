import { CATALOG, type ErrorCode } from "#base/errors/index.ts";

/** A place in a file; lines and columns count from 1, columns in UTF-16 units, the end is exclusive. */
export type Place = { readonly line: number; readonly col: number; readonly endLine: number; readonly endCol: number };

/** One thing wrong (or worth a look) in the fleet repo. `message` never holds a value of a document, only names of fields. */
export type Finding = Place & {
  readonly code: ErrorCode;
  /** Which rule of several under one code: a policy's `name/3` (its third validation). */
  readonly rule?: string;
  readonly level: Level;
  readonly file: string;
  readonly message: string;
  readonly fix: string;
  /** What it is about, whatever line that is on now: `SecretGrant/mail /spec/secrets/0`. A fingerprint is made of it. */
  readonly subject?: string;
  /** Where else to look: the line that a setting clashes with. */
  readonly also?: readonly Elsewhere[];
  /** The line of the file with a caret under the mistake; two lines, for terminals. */
  readonly excerpt?: string;
};

export type Elsewhere = Place & { readonly file: string };

export type Level = "error" | "warning" | "notice";
const LEVELS: readonly Level[] = ["error", "warning", "notice"];

/** The same without its file: what a cached parse keeps. */
export type Problem = Omit<Finding, "file">;

export const START: Place = { line: 1, col: 1, endLine: 1, endCol: 1 };

/** An error at `place`; the fix is the catalogue's unless one is given. */
export function problem(code: ErrorCode, place: Place, message: string, fix?: string): Problem {
  const { line, col, endLine, endCol } = place;
  return { code, level: "error", line, col, endLine, endCol, message, fix: fix ?? CATALOG[code].fix };
}

/** What is not plain YAML, by the rule it breaks. */
export function yamlProblem(rule: YamlRule, place: Place, message: string, fix?: string): Problem {
  return { ...problem("FLEET_YAML_REFUSED", place, message, fix), rule };
}

export type YamlRule = "syntax" | "nesting" | "directive" | "alias" | "tag" | "key" | "duplicate-key" | "text" | "tab" | "size";

export function finding(code: ErrorCode, file: string, place: Place, message: string, fix?: string): Finding {
  return { ...problem(code, place, message, fix), file };
}

/** Errors, warnings, notices; then by file and place: one order for every output. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (a, b) =>
      LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) ||
      byText(a.file, b.file) ||
      a.line - b.line ||
      a.col - b.col ||
      byText(a.message, b.message),
  );
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((item) => item.level === "error");
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
