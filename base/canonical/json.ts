/** A JSON value as RFC 8259 has it; what may be digested is narrower, see `canon`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** An object of JSON, as opposed to a list or a scalar. */
export type JsonObject = { readonly [key: string]: Json };

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of its own; what every object of JavaScript has (`constructor`, `toString`) is none. For names that others chose. */
export function memberOf<T>(value: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
