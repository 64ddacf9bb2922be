import type { FileBytes } from "./bytes.ts";
import { applyDelta } from "./delta.ts";
import { type EntryHead, LONGEST_HEAD, readHead } from "./entry.ts";
import { inflate } from "./inflate.ts";

/** One entry of a pack, unpacked: an object, or the instructions of a delta. `end` is the offset behind it. */
export type Unpacked = { readonly head: EntryHead; readonly content: Buffer; readonly end: number };

/** Reads the entry at `offset`. `stop` is where it ends at the latest. The word says what is wrong with it otherwise. */
export function unpackAt(file: FileBytes, offset: number, stop: number, maxBytes: number): Unpacked | "cut" | "malformed" | "too large" {
  const head = readHead(file.at(offset, Math.min(LONGEST_HEAD, stop - offset)));
  if (head === null) return "malformed";
  if (head.size > maxBytes) return "too large";
  const start = offset + head.dataAt;
  // First what is at hand, then more and more of it: a stream of `size` bytes of content is hardly ever longer than that.
  const most = Math.min(stop - start, 2 * head.size + 4_096);
  for (let want = Math.min(most, file.some(start).length); ; want = Math.min(most, want * 4)) {
    const result = inflate(file.at(start, want), head.size);
    if (result.at === "done") return { head, content: result.content, end: start + result.used };
    if (result.at === "broken") return "malformed";
    if (want >= most) return most < stop - start ? "malformed" : "cut";
  }
}

/** Puts `deltas` (the last one first) on top of `base`; null where one of them does not fit. Pure. */
export function applyAll(base: Buffer, deltas: readonly Buffer[], maxBytes: number): Buffer | null {
  let content: Buffer | null = base;
  for (let i = deltas.length - 1; i >= 0 && content !== null; i--) content = applyDelta(content, deltas[i] ?? Buffer.alloc(0), maxBytes);
  return content;
}
