import { printable } from "#base/text/index.ts";

/** Text that stays on its line and shows what it is. Pure. */
export const oneLine: (text: string) => string = printable;

/** The same, cut to `max` characters with an ellipsis; never between the halves of one. Pure. */
export function clipped(text: string, max: number): string {
  const line = oneLine(text.length > 4 * max ? text.slice(0, 4 * max) : text);
  if (line.length <= max) return line;
  return `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
