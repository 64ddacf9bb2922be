/** Lines of `base` replaced by other lines: `base[from, to)` became `lines`. */
type Hunk = { readonly from: number; readonly to: number; readonly lines: readonly string[] };

const MAX_EDITS = 1_000; // beyond it the comparison gets slow; such a merge is a person's work

/** Three-way merge of text by lines, or null on a conflict: both sides changed the same or neighbouring lines differently, or too much
 *  changed to compare. Stricter than git, never laxer: what we can't merge for sure, a person merges. Pure. */
export function mergeText(base: string, ours: string, theirs: string): string | null {
  const lines = splitLines(base);
  const left = hunks(lines, splitLines(ours));
  const right = hunks(lines, splitLines(theirs));
  if (left === null || right === null) return null;
  const merged = interleave(left, right);
  if (merged === null) return null;
  const out: string[] = [];
  let at = 0;
  for (const hunk of merged) {
    out.push(...lines.slice(at, hunk.from), ...hunk.lines);
    at = hunk.to;
  }
  return [...out, ...lines.slice(at)].join("");
}

/** Both sides' hunks in order; null when two of them touch and are not the same change. */
function interleave(left: readonly Hunk[], right: readonly Hunk[]): readonly Hunk[] | null {
  const out: Hunk[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [a, b] = [left[i], right[j]];
    if (a === undefined) return [...out, ...right.slice(j)];
    if (b === undefined) return [...out, ...left.slice(i)];
    if (isSame(a, b)) {
      out.push(a);
      i++;
      j++;
    } else if (a.to < b.from) {
      out.push(a);
      i++;
    } else if (b.to < a.from) {
      out.push(b);
      j++;
    } else return null;
  }
}

function isSame(a: Hunk, b: Hunk): boolean {
  return a.from === b.from && a.to === b.to && a.lines.join("") === b.lines.join("");
}

/** Lines with their line feeds, so that joining them gives the text back. */
function splitLines(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** What turns `a` into `b`, in order, never touching each other; null beyond MAX_EDITS. Myers' greedy algorithm (1986). */
function hunks(a: readonly string[], b: readonly string[]): readonly Hunk[] | null {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const pairs = matches(a.slice(start, endA), b.slice(start, endB));
  if (pairs === null) return null;
  const out: Hunk[] = [];
  let [x, y] = [start, start];
  for (const [px, py] of [...pairs.map(([i, j]) => [i + start, j + start] as const), [endA, endB] as const]) {
    if (px > x || py > y) out.push({ from: x, to: px, lines: b.slice(y, py) });
    [x, y] = [px + 1, py + 1];
  }
  return out;
}

/** Index pairs of a longest common subsequence, in order. */
function matches(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] | null {
  const reach = new Map<number, number>([[1, 0]]); // diagonal → furthest x
  const trace: ReadonlyMap<number, number>[] = [];
  for (let d = 0; d <= Math.min(a.length + b.length, MAX_EDITS); d++) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      let x = isDown(reach, k, d) ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return backtrack(trace, a.length, b.length);
    }
  }
  return null;
}

function isDown(reach: ReadonlyMap<number, number>, k: number, d: number): boolean {
  return k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
}

function backtrack(trace: readonly ReadonlyMap<number, number>[], lenA: number, lenB: number): readonly (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let [x, y] = [lenA, lenB];
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const before = isDown(reach, k, d) ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : (reach.get(before) ?? 0);
    const fromY = d === 0 ? 0 : fromX - before;
    while (x > fromX && y > fromY) {
      x--;
      y--;
      pairs.push([x, y]);
    }
    [x, y] = [fromX, fromY];
  }
  return pairs.reverse();
}
