/** Object types by the number a pack gives them. */
export const PACK_TYPES = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" } as const;

export type PackedType = (typeof PACK_TYPES)[keyof typeof PACK_TYPES];

/** The head of one entry. `size` is what it unpacks to: the object, or the delta. `dataAt` counts from the entry's start. */
export type EntryHead =
  | { readonly kind: "whole"; readonly type: 1 | 2 | 3 | 4; readonly size: number; readonly dataAt: number }
  | { readonly kind: "offset"; readonly back: number; readonly size: number; readonly dataAt: number }
  | { readonly kind: "ref"; readonly base: string; readonly size: number; readonly dataAt: number };

export const LONGEST_HEAD = 32; // 10 bytes of size at most, then 20 of a base's id

/** Reads the head at the start of `bytes` (gitformat-pack(5)); null for what no pack may hold: an unknown type, a number beyond 2^53, or a cut. Pure. */
export function readHead(bytes: Uint8Array): EntryHead | null {
  const first = bytes[0];
  if (first === undefined) return null;
  let size = first & 15;
  let at = 1;
  for (let more = first & 0x80, unit = 16; more !== 0; unit *= 128) {
    const byte = bytes[at++];
    if (byte === undefined || unit > 2 ** 46) return null;
    size += (byte & 0x7f) * unit;
    more = byte & 0x80;
  }
  const type = (first >> 4) & 7;
  if (type === 6) return offsetHead(bytes, at, size);
  if (type === 7) {
    if (bytes.length < at + 20) return null;
    return { kind: "ref", base: Buffer.from(bytes.subarray(at, at + 20)).toString("hex"), size, dataAt: at + 20 };
  }
  return type === 1 || type === 2 || type === 3 || type === 4 ? { kind: "whole", type, size, dataAt: at } : null;
}

function offsetHead(bytes: Uint8Array, start: number, size: number): EntryHead | null {
  let back = 0;
  for (let at = start; at < start + 8; at++) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    back = (at === start ? 0 : back + 1) * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) return { kind: "offset", back, size, dataAt: at + 1 };
  }
  return null;
}

/** The head of a whole object as a pack holds it. Pure. */
export function writeHead(type: 1 | 2 | 3 | 4, size: number): Uint8Array {
  const out: number[] = [];
  let byte = (type << 4) | (size & 15);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    out.push(byte | 0x80);
    byte = rest % 128;
  }
  out.push(byte);
  return Uint8Array.from(out);
}
