import { printable } from "../text/index.ts";
import type { Disposition, ErrorCode } from "./catalog/index.ts";
import { MooringError } from "./mooring-error.ts";

/** `application/problem+json` of one error (WIRE §1). `cause` is never part of it. */
export type Problem = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly why?: string;
  readonly fix: string;
  readonly disposition: Disposition;
  readonly have?: string | number;
};

export function toProblem(err: MooringError): Problem {
  return {
    code: err.code,
    message: err.message,
    ...(err.why === undefined ? {} : { why: err.why }),
    fix: err.fix,
    disposition: err.disposition,
    ...(err.have === undefined ? {} : { have: err.have }),
  };
}

/** Lines for a person: code and message, then why and fix, each only if there is one. Errors that are not ours give their class name
 *  only, since their text may hold a token; run with MOORING_DEBUG=1 to let them crash with a stack. */
export function formatError(err: unknown): string {
  if (!(err instanceof MooringError))
    return `INTERNAL: unexpected ${err instanceof Error ? err.name : typeof err}\n  fix: report this; MOORING_DEBUG=1 prints the stack`;
  const lines = [`${err.code}: ${err.message}`];
  if (err.why !== undefined) lines.push(`  why: ${err.why}`);
  if (err.fix !== "") lines.push(`  fix: ${err.fix}`);
  return lines.join("\n").split("\n").map(printable).join("\n");
}
