import { MooringError } from "#base/errors/index.ts";

const CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;

/** Bech32 (BIP 173) of `bytes` under `hrp`, without BIP 173's limit of 90 characters, as age uses it. */
export function bech32(hrp: string, bytes: Uint8Array): string {
  const words = regroup(bytes, 8, 5, true);
  const sum = polymod([...expandHrp(hrp), ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  for (let i = 0; i < 6; i++) words.push((sum >>> (5 * (5 - i))) & 31);
  return `${hrp}1${words.map((word) => CHARSET[word]).join("")}`;
}

/** The inverse of `bech32`; all lower or all upper case, right checksum, no spare bits, or RECIPIENT_MALFORMED. `hrp` comes back in lower case. */
export function unbech32(text: string): { readonly hrp: string; readonly bytes: Uint8Array } {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) throw malformed("mixed case");
  const split = lower.lastIndexOf("1");
  if (split < 1 || lower.length - split < 7 || text.length > 4096 || !/^[\x21-\x7e]+$/.test(lower))
    throw malformed("no prefix or no checksum");
  const hrp = lower.slice(0, split);
  const words = Array.from(lower.slice(split + 1), (char) => CHARSET.indexOf(char));
  if (words.includes(-1)) throw malformed("a character that bech32 does not have");
  if (polymod([...expandHrp(hrp), ...words]) !== 1) throw malformed("the checksum does not fit: a typing error");
  return { hrp, bytes: Uint8Array.from(regroup(words.slice(0, -6), 5, 8, false)) };
}

function expandHrp(hrp: string): number[] {
  const codes = Array.from(hrp, (char) => char.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(words: readonly number[]): number {
  let sum = 1;
  for (const word of words) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ word;
    for (const [i, term] of GENERATOR.entries()) if (((top >>> i) & 1) === 1) sum ^= term;
  }
  return sum;
}

function regroup(input: Iterable<number>, from: number, to: number, pad: boolean): number[] {
  const out: number[] = [];
  let acc = 0;
  let bits = 0;
  for (const word of input) {
    acc = ((acc << from) | word) & 0xfff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      out.push((acc >>> bits) & ((1 << to) - 1));
    }
  }
  if (pad && bits > 0) out.push((acc << (to - bits)) & ((1 << to) - 1));
  if (!pad && (bits >= from || (acc & ((1 << bits) - 1)) !== 0)) throw malformed("spare bits at the end");
  return out;
}

function malformed(why: string): MooringError {
  return new MooringError("RECIPIENT_MALFORMED", "text that is not bech32", { why });
}
