/** Just enough DER to make certificates and timestamps in tests. Each function gives one whole TLV. */

export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length =
    body.length < 0x80 ? [body.length] : body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

export const seq = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => tlv(0x31, ...parts);
export const octets = (bytes: Uint8Array): Buffer => tlv(0x04, bytes);
export const bits = (bytes: Uint8Array): Buffer => tlv(0x03, Buffer.from([0]), bytes);
export const bool = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text));
/** Context-specific, constructed. */
export const tagged = (number: number, ...parts: readonly Uint8Array[]): Buffer => tlv(0xa0 + number, ...parts);

/** A small whole number that is not negative, or the bytes of a positive one. */
export function int(value: number | Uint8Array): Buffer {
  if (typeof value === "number") return tlv(0x02, Buffer.from([value]));
  return tlv(0x02, (value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value);
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const arcs = rest.flatMap((arc) => {
    const out = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) out.unshift((left & 0x7f) | 0x80);
    return out;
  });
  return tlv(0x06, Buffer.from([first * 40 + second, ...arcs]));
}

/** GeneralizedTime, whole seconds. */
export function generalizedTime(date: Date): Buffer {
  return tlv(0x18, Buffer.from(`${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`));
}

/** A Name with one common name; empty gives the empty Name. */
export function nameOf(common: string): Buffer {
  return common === "" ? seq() : seq(set(seq(oid("2.5.4.3"), utf8(common))));
}
