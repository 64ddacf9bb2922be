/** A line of the fleet repo that asks for something, and the column where it does; both count from 1, columns in UTF-16 units. */
export type SourceLine = { readonly file: string; readonly line: number; readonly col?: number };

/** `file:line:col`, as terminals and editors link it. */
export function sourceText({ file, line, col }: SourceLine): string {
  return col === undefined ? `${file}:${line}` : `${file}:${line}:${col}`;
}
