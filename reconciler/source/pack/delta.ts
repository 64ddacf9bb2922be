/** The object that `delta` makes of `base` (gitformat-pack(5), "Deltified representation"), or null for a delta that isn't one: sizes that don't fit, a copy
 *  from outside the base, the reserved instruction, bytes left over, a result above `maxBytes`. Pure. */
export function applyDelta(base: Buffer, delta: Buffer, maxBytes: number): Buffer | null {
  const from = readSize(delta, 0);
  const to = from === null ? null : readSize(delta, from.next);
  if (from === null || to === null || from.size !== base.length || to.size > maxBytes) return null;
  const out = Buffer.allocUnsafe(to.size);
  let written = 0;
  for (let at = to.next; at < delta.length; ) {
    const code = delta[at++] ?? 0;
    if (code === 0) return null;
    if (code < 0x80) {
      if (at + code > delta.length || written + code > out.length) return null;
      written += delta.copy(out, written, at, at + code);
      at += code;
      continue;
    }
    let offset = 0;
    let size = 0;
    for (let bit = 0; bit < 4; bit++) if ((code & (1 << bit)) !== 0) offset += (delta[at++] ?? Number.NaN) * 2 ** (8 * bit);
    for (let bit = 0; bit < 3; bit++) if ((code & (16 << bit)) !== 0) size += (delta[at++] ?? Number.NaN) * 2 ** (8 * bit);
    if (size === 0) size = 0x10000;
    if (!(offset + size <= base.length && written + size <= out.length)) return null; // also NaN: the delta was cut
    written += base.copy(out, written, offset, offset + size);
  }
  return written === out.length ? out : null;
}

function readSize(bytes: Uint8Array, start: number): { readonly size: number; readonly next: number } | null {
  let size = 0;
  for (let at = start, unit = 1; at < start + 7; at++, unit *= 128) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    size += (byte & 0x7f) * unit;
    if ((byte & 0x80) === 0) return { size, next: at + 1 };
  }
  return null;
}
