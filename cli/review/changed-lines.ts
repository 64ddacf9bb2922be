import type { FleetFile, FleetFiles } from "#reconciler/desired/index.ts";
import type { SourceLine } from "#plan/index.ts";

/** Lines that a change writes (`head`) and those that it takes away (`base`), by file. */
export type ChangedLines = { readonly head: Lines; readonly base: Lines };
type Lines = ReadonlyMap<string, ReadonlySet<number>>;

const MAX_TEXT = 1 << 20;

/** Compares files whose content differs; equal ones are not read. A line counts as changed when the other side's file lacks its text. */
export async function changedLines(base: FleetFiles, head: FleetFiles): Promise<ChangedLines> {
  const written = new Map<string, ReadonlySet<number>>();
  const taken = new Map<string, ReadonlySet<number>>();
  for (const path of new Set([...head.keys(), ...base.keys()])) {
    const [before, after] = [base.get(path), head.get(path)];
    if (before?.oid === after?.oid || /\.(age|lock\.json)$/.test(path)) continue;
    const [old, now] = [await linesOf(before), await linesOf(after)];
    if (after !== undefined) written.set(path, missingIn(now, old));
    if (before !== undefined) taken.set(path, missingIn(old, now));
  }
  return { head: written, base: taken };
}

/** Numbers (from 1) of the lines that `others` has fewer of; of a line that comes twice the later ones. Pure. */
export function missingIn(lines: readonly string[], others: readonly string[]): ReadonlySet<number> {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  const missing = new Set<number>();
  for (const [i, line] of lines.entries()) {
    const count = left.get(line) ?? 0;
    if (count === 0) missing.add(i + 1);
    else left.set(line, count - 1);
  }
  return missing;
}

/** Of the lines behind something those that the change touches: its cause. Where it touches none of them, the first that it touches in each of their
 *  files (or where it only takes lines away there, the first of ours); null where it leaves those files alone. Pure. */
export function causeOf(lines: readonly SourceLine[], changed: Lines): readonly SourceLine[] | null {
  const own = lines.filter(({ file, line }) => changed.get(file)?.has(line) === true);
  if (own.length > 0) return own;
  const near = [...new Set(lines.map(({ file }) => file))].flatMap((file) => {
    const touched = changed.get(file);
    if (touched === undefined) return [];
    const [line] = touched;
    return [line === undefined ? lines.find((item) => item.file === file)! : { file, line }];
  });
  return near.length > 0 ? near : null;
}

async function linesOf(file: FleetFile | undefined): Promise<readonly string[]> {
  if (file === undefined) return [];
  const bytes = await file.read();
  return bytes.length > MAX_TEXT ? [] : Buffer.from(bytes).toString("utf8").split("\n");
}
