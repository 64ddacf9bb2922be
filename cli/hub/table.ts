/** Columns as wide as their widest cell, two spaces apart, as kubectl prints them. Empty cells show as `-`. Ends with a line break. Pure. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows.map((row) => row.map((cell) => (cell === "" ? "-" : cell)))];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** "4s", "12m", "3h", "9d" since `at`; "-" when it is not known. Pure. */
export function age(at: string | null, nowMs: number): string {
  if (at === null) return "-";
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(at)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** What the terminal would take as a command is shown as `?`: names and messages come from elsewhere. Pure. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
