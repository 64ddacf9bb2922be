import { MooringError, type Problem } from "#base/errors/index.ts";

/** Facts beside a constant message. Values are scalars only, so that no error object, buffer or document slips into a log. */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** How every room logs: a constant message plus fields. The hub backs it with pino, machine processes with `lineLog`. */
export type Log = {
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
};

/** A Log that writes one JSON line per entry through `write`. */
export function lineLog(write: (line: string) => void, now: () => number, base: Fields = {}): Log {
  const at =
    (level: string) =>
    (fields: Fields, message: string): void =>
      write(`${JSON.stringify({ level, time: new Date(now()).toISOString(), ...base, ...fields, msg: message })}\n`);
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

/** What of an error may be logged: our code, or the class name of a foreign one. Never its text. */
export function errorField(err: unknown): { readonly code: string } {
  if (err instanceof MooringError) return { code: err.code };
  const errno = err instanceof Error ? (err as NodeJS.ErrnoException).code : undefined;
  return { code: errno ?? (err instanceof Error ? err.name : typeof err) };
}

/** A refusal of ours as a log shows it: all a person needs in the night without asking anything else. `cause` is never part of it. */
export function refusalFields({
  code,
  message,
  why,
  fix,
}: Pick<Problem, "code" | "message" | "fix"> & { readonly why?: string | undefined }): Fields {
  return { code, what: message, ...(why === undefined ? {} : { why }), fix };
}
