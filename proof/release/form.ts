import { fromBase64, isJsonObject, type Json, type JsonObject, readCanonical } from "#base/canonical/index.ts";
import { type ErrorCode, hasCode, MooringError } from "#base/errors/index.ts";

/** Checks of one document's form; every failure throws `code` naming `where`. */
export type Form = {
  readonly fail: (why: string, cause?: unknown) => MooringError;
  /** The value of canonical bytes. */
  readonly read: (bytes: Uint8Array) => Json;
  readonly bytes: (base64: string) => Uint8Array;
  /** An object with exactly these members; those in `optional` may be missing. */
  readonly members: (value: Json | undefined, what: string, names: readonly string[], optional?: readonly string[]) => JsonObject;
  readonly list: (value: Json | undefined, what: string) => readonly Json[];
  readonly text: (value: Json | undefined, what: string) => string;
  /** A safe integer of at least `least`. */
  readonly count: (value: Json | undefined, what: string, least: number) => number;
  readonly oneOf: <T extends string>(value: Json | undefined, what: string, values: readonly T[]) => T;
  /** `value` as `T` when `is` says so. */
  readonly that: <T>(value: Json | undefined, what: string, is: (value: unknown) => value is T) => T;
};

export function formOf(code: ErrorCode, where: string): Form {
  const fail = (why: string, cause?: unknown): MooringError => new MooringError(code, where, { why, cause });
  const rethrow = (err: unknown): never => {
    if (hasCode(err, "CANON_REFUSED")) throw fail(err.why ?? err.message, err);
    if (hasCode(err, "BASE64_MALFORMED")) throw fail("bytes that are not strict base64", err);
    throw err;
  };
  const that: Form["that"] = (value, what, is) => {
    if (!is(value)) throw fail(`${what} has another form`);
    return value;
  };
  return {
    fail,
    read: (bytes) => attempt(() => readCanonical(bytes), rethrow),
    bytes: (base64) => attempt(() => fromBase64(base64, where), rethrow),
    members: (value, what, names, optional = []) => {
      if (!isJsonObject(value)) throw fail(`${what} is no object`);
      const extra = Object.keys(value).find((name) => !names.includes(name) && !optional.includes(name));
      if (extra !== undefined) throw fail(`${what} has a member that does not belong there`);
      const missing = names.find((name) => !Object.hasOwn(value, name));
      if (missing !== undefined) throw fail(`${what} lacks ${missing}`);
      return value;
    },
    list: (value, what) => that(value, what, (v) => Array.isArray(v)),
    text: (value, what) => that(value, what, (v) => typeof v === "string"),
    count: (value, what, least) => that(value, what, (v): v is number => Number.isSafeInteger(v) && (v as number) >= least),
    oneOf: <T extends string>(value: Json | undefined, what: string, values: readonly T[]) =>
      that(value, what, (v): v is T => values.includes(v as T)),
    that,
  };
}

function attempt<T>(work: () => T, rethrow: (err: unknown) => never): T {
  try {
    return work();
  } catch (err) {
    return rethrow(err);
  }
}
