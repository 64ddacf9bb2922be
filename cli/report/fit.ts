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

/** Puts the parts one after the other into `max`, whole where they fit. Room goes to the low ranks first; parts of one rank take items in turns, so none
 *  starves another; and what is left out is counted in its place, so nothing disappears without a word. A part's frame and count have room of their
 *  own: `max` MUST hold all of these. Pure. */
export function fit(parts: readonly Part[], max: number, measure: Measure): string {
  const shown = parts.filter(({ items }) => items.length > 0);
  const frames = shown.map(({ open, close, more, items }) => measure(open) + measure(close) + measure(more(items.length)));
  let left = max - frames.reduce((sum, one) => sum + one, 0);
  const kept = new Map(shown.map((part) => [part, 0]));
  for (const rank of [...new Set(shown.map((part) => part.rank))].toSorted((a, b) => a - b)) {
    let open = shown.filter((part) => part.rank === rank);
    while (open.length > 0) {
      open = open.filter((part) => {
        const item = part.items[kept.get(part)!];
        const size = item === undefined ? Infinity : measure(item);
        if (size > left) return false;
        left -= size;
        kept.set(part, kept.get(part)! + 1);
        return true;
      });
    }
  }
  return shown.map((part) => textOf(part, kept.get(part)!)).join("");
}

function textOf({ open, items, close, more }: Part, n: number): string {
  const rest = items.length - n;
  return `${open}${items.slice(0, n).join("")}${rest > 0 ? more(rest) : ""}${close}`;
}
