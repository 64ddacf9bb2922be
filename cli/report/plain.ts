/** Text that stays on its line: what a terminal or a parser would take as a command (controls, direction marks, lone surrogates) shows as `?`, breaks
 *  as spaces. Pure. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\t\r\n\u2028\u2029\u0085]+/g, " ")
    .replace(/[\p{Cc}\p{Cf}]/gu, "?");
}

/** The same, cut to `max` characters with an ellipsis; never between the halves of one. Pure. */
export function clipped(text: string, max: number): string {
  const line = oneLine(text.length > 4 * max ? text.slice(0, 4 * max) : text);
  if (line.length <= max) return line;
  return `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
