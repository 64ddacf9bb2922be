import stringWidth from "string-width";

const HANG = 4;

/** Columns of a text on a terminal; the usual letters are counted, the rest is looked up. Pure. */
export function widthOf(text: string): number {
  const plain = text.includes("\u001b") ? text.replaceAll(/\u001b\[\d+m/g, "") : text;
  return /^[ -~]*$/.test(plain) ? plain.length : stringWidth(plain);
}

/** Lines of at most `width` columns, broken between words; what follows the first hangs a little further in. A word that is wider stays whole: nobody can
 *  copy half an id. Colours go on over a break. Pure. */
export function wrap(text: string, width: number, hangBy = HANG): readonly string[] {
  if (width === Infinity || widthOf(text) <= width) return [text];
  const indent = /^ */.exec(text)![0];
  const hang = indent + " ".repeat(hangBy);
  const lines: string[] = [];
  let line = indent;
  let used = indent.length;
  let isEmpty = true;
  for (const word of text.slice(indent.length).split(" ")) {
    const size = widthOf(word);
    if (!isEmpty && used + 1 + size > width) {
      lines.push(line);
      [line, used, isEmpty] = [hang, hang.length, true];
    }
    line += isEmpty ? word : ` ${word}`;
    used += size + (isEmpty ? 0 : 1);
    isEmpty = false;
  }
  lines.push(line);
  return carryColors(lines);
}

/** A colour that is still on at the end of a line ends there and begins again on the next: pagers and `grep` look at lines. */
function carryColors(lines: readonly string[]): readonly string[] {
  let open = "";
  return lines.map((line) => {
    const start = open;
    for (const [code] of line.matchAll(/\u001b\[\d+m/g)) open = code === "\u001b[0m" ? "" : code;
    const indent = /^ */.exec(line)![0];
    return `${indent}${start}${line.slice(indent.length)}${open === "" ? "" : "\u001b[0m"}`;
  });
}

const LAST = 24;

/** Rows under their heads, as wide as the widest cell. Where the last column does not fit it wraps in its place; where that leaves it too little room each
 *  row becomes a block of its cells. Empty cells show as `-`. Pure. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[], width: number): readonly string[] {
  if (rows.length === 0) return [];
  const all = [head, ...rows.map((row) => row.map((cell) => (cell === "" ? "-" : cell)))];
  const widths = head.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ""))));
  const fixed = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  const room = width - fixed;
  if (widths.at(-1)! > room && room < LAST) return blocks(head, all.slice(1), width);
  return all.flatMap((row) => {
    const before = row
      .slice(0, -1)
      .map((cell, i) => `${padded(cell, widths[i]!)}  `)
      .join("");
    return hanging(before, row.at(-1)!, room, fixed);
  });
}

function blocks(head: readonly string[], rows: readonly (readonly string[])[], width: number): readonly string[] {
  const label = Math.max(...head.slice(1).map((cell) => cell.length));
  return rows.flatMap((row) => [
    row[0] ?? "",
    ...row.slice(1).flatMap((cell, i) => {
      if (cell === "-") return [];
      const name = `  ${head[i + 1]!.toLowerCase().padEnd(label)}  `;
      return hanging(name, cell, width - name.length, name.length);
    }),
  ]);
}

/** `before`, and beside it `text` wrapped to `room` columns. */
function hanging(before: string, text: string, room: number, indent: number): readonly string[] {
  const [first = "", ...rest] = wrap(text, Math.max(LAST, room), 0);
  return [`${before}${first}`.trimEnd(), ...rest.map((line) => `${" ".repeat(indent)}${line}`)];
}

function padded(text: string, width: number): string {
  return `${text}${" ".repeat(Math.max(0, width - widthOf(text)))}`;
}
