/** A part of a page: what opens it, its items and what closes it. */
export type Part = {
  readonly open: string;
  readonly items: readonly string[];
  readonly close: string;
  /** 0 = is cut last. */
  readonly rank: number;
  /** What stands for `left` items that found no room. */
  readonly more: (left: number) => string;
};

type Measure = (text: string) => number;

/** Puts the parts one after the other into `max`, whole where they fit. Room goes to the low ranks first, to each as many items as fit, and what is left
 *  out is counted in its place; so no part disappears without a word. A part's frame and count have room of their own: `max` MUST hold all of
 *  these. Pure. */
export function fit(parts: readonly Part[], max: number, measure: Measure): string {
  const shown = parts.filter(({ items }) => items.length > 0);
  let left = max - shown.reduce((sum, part) => sum + measure(part.open) + measure(part.close) + measure(part.more(part.items.length)), 0);
  const kept = new Map<Part, number>();
  for (const part of shown.toSorted((a, b) => a.rank - b.rank)) {
    let n = 0;
    for (const item of part.items) {
      const size = measure(item);
      if (size > left) break;
      left -= size;
      n++;
    }
    kept.set(part, n);
  }
  return shown.map((part) => textOf(part, kept.get(part)!)).join("");
}

function textOf({ open, items, close, more }: Part, n: number): string {
  const rest = items.length - n;
  return `${open}${items.slice(0, n).join("")}${rest > 0 ? more(rest) : ""}${close}`;
}
