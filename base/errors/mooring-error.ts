import { CATALOG, type Disposition, type ErrorCode } from "./catalog/index.ts";

export type ErrorOptions = {
  /** The reason in words of ours; never third-party text, which may hold a token. */
  readonly why?: string;
  /** The next command or edit, when it differs from the catalogue's. */
  readonly fix?: string;
  /** What a library threw. It is kept for a debugger and never printed. */
  readonly cause?: unknown;
  /** Small facts for machines (serials, offsets); goes to logs and onto the wire, so no values of secrets. */
  readonly have?: string | number;
};

/** The one error people and queues see: `code` is stable, `message` says what and where, `why` the reason, `fix` what to do next. */
export class MooringError extends Error {
  override readonly name = "MooringError";
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly fix: string;
  readonly have: string | number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.why = options.why;
    this.fix = options.fix ?? CATALOG[code].fix;
    this.have = options.have;
  }

  /** What the queue does next: back off and retry, wait for something, stop for a person, or nothing since a safety check refused. */
  get disposition(): Disposition {
    return CATALOG[this.code].disposition;
  }
}

/** Whether `err` is ours and carries `code`; use it to catch the one case you can handle. */
export function hasCode(err: unknown, code: ErrorCode): err is MooringError {
  return err instanceof MooringError && err.code === code;
}
