import { MooringError } from "#base/errors/index.ts";
import type { Json } from "./json.ts";

const MAX_DEPTH = 32;

/** RFC 8785 text of `value`, narrowed by WIRE §3.1: finite numbers (no -0, integers within ±(2^53-1)), well-formed Unicode, no undefined,
 *  bigint or `__proto__`, at most 32 brackets open at once. Pure; throws CANON_REFUSED for anything else. */
export function canon(value: unknown): string {
  return write(value, 1);
}

/** UTF-8 bytes of `canon(value)`: what is hashed and signed. */
export function canonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canon(value));
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return writeNumber(value);
    case "string":
      return writeString(value);
    case "object":
      if (value === null) return "null";
      if (depth > MAX_DEPTH) throw refused(`more than ${MAX_DEPTH} brackets open at once`);
      return Array.isArray(value) ? writeList(value, depth) : writeObject(value, depth);
    case "undefined":
    case "bigint":
    case "function":
    case "symbol":
      throw refused(`a ${typeof value} is not JSON`);
  }
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw refused("a number that is not finite");
  if (Object.is(value, -0)) throw refused("minus zero");
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw refused("an integer beyond ±(2^53-1)");
  return String(value);
}

function writeString(value: string): string {
  if (!value.isWellFormed()) throw refused("text with a lone surrogate");
  return JSON.stringify(value);
}

function writeList(list: readonly unknown[], depth: number): string {
  let text = "[";
  for (let i = 0; i < list.length; i++) text += (i > 0 ? "," : "") + write(list[i], depth + 1); // holes read as undefined and are refused
  return `${text}]`;
}

function writeObject(object: object, depth: number): string {
  const proto: unknown = Object.getPrototypeOf(object);
  if (proto !== Object.prototype && proto !== null) throw refused("an object that is not plain data");
  const names = Object.keys(object).sort(byUtf16);
  let text = "{";
  for (const name of names) {
    if (name === "__proto__") throw refused("a member named __proto__");
    if (text.length > 1) text += ",";
    text += `${writeString(name)}:${write((object as Record<string, unknown>)[name], depth + 1)}`;
  }
  return `${text}}`;
}

/** Order of RFC 8785 §3.2.3: by UTF-16 code unit, which is what `<` compares. */
function byUtf16(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The value of a digested document (WIRE §3.9): strict UTF-8, and `canon` of it gives the same bytes back, so duplicate keys, other
 *  spellings and spare white space are refused. Throws CANON_REFUSED. */
export function readCanonical(bytes: Uint8Array): Json {
  const value = parse(bytes);
  const again = canonBytes(value);
  if (again.length !== bytes.length || !again.every((byte, i) => byte === bytes[i]))
    throw refused("bytes that are not their own canonical form");
  return value;
}

function parse(bytes: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) as Json;
  } catch (cause) {
    throw refused("bytes that are not JSON in UTF-8", cause);
  }
}

function refused(why: string, cause?: unknown): MooringError {
  return new MooringError("CANON_REFUSED", "a value without canonical form", { why, cause });
}
