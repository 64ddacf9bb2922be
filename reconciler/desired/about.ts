import type { ErrorCode } from "#base/errors/index.ts";
import type { AnyLoaded } from "./document.ts";
import { type Elsewhere, type Finding, finding, type Level } from "./finding.ts";
import { pointerOf } from "./issues.ts";
import type { Path } from "./yaml.ts";

export type AboutOptions = {
  readonly level?: Level | undefined;
  /** Which of several rules under one code; lower-case words with dashes. */
  readonly rule?: string | undefined;
  readonly fix?: string | undefined;
  readonly of?: "key" | "value";
  readonly also?: readonly Elsewhere[];
};

/** A finding about one field of a document, at its place. */
export function about(doc: AnyLoaded, path: Path, code: ErrorCode, message: string, options: AboutOptions = {}): Finding {
  const { level, rule, fix, of, also = [] } = options;
  return {
    ...finding(code, doc.file, doc.locate(path, of), message, fix),
    ...(level === undefined ? {} : { level }),
    ...(rule === undefined ? {} : { rule }),
    subject: `${doc.kind}/${doc.name} ${pointerOf(path)}`,
    ...(also.length === 0 ? {} : { also }),
  };
}

/** A field of a document as another place to look at. */
export function placeIn(doc: AnyLoaded, path: Path, of?: "key" | "value"): Elsewhere {
  return { ...doc.locate(path, of), file: doc.file };
}

/** `file:line:col` as messages write it. */
export function spot({ file, line, col }: Elsewhere): string {
  return `${file}:${line}:${col}`;
}
