import { canonBytes, type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { msOf, type Time } from "#base/time/index.ts";
import { type SignedStatement, type Statement, statement as statementSchema, type TrustSection } from "#schemas/wire/index.ts";
import { formOf } from "./form.ts";
import { ACTION_NAMESPACE, principalsOf, signersOf } from "./signers.ts";

/** A statement that somebody entitled to it has signed. `digest` is its name: idempotency, and what a release lifts. */
export type VerifiedStatement = { readonly statement: Statement; readonly digest: Digest; readonly signers: readonly string[] };

/** Against whom and when a statement is judged. `serial` = the release serial accepted so far, which the windows of keys are held against. */
export type StatementContext = { readonly fleet: string; readonly now: Time; readonly trust: TrustSection; readonly serial: number };

const CLOCK_SKEW_MS = 300_000; // operators' laptops and machines agree to within minutes

/** Canonical bytes of a statement to sign in namespace `mooring-action`; throws STATEMENT_MALFORMED. */
export function composeStatement(statement: Statement): Uint8Array {
  const bytes = canonBytes(statement);
  parseStatement(bytes);
  return bytes;
}

/** The statement in its bytes; throws STATEMENT_MALFORMED. `revoke` names a target and never expires, everything else expires. */
export function parseStatement(bytes: Uint8Array): Statement {
  const form = formOf("STATEMENT_MALFORMED", "a signed statement");
  const parsed = statementSchema.safeParse(form.read(bytes));
  if (!parsed.success) throw form.fail("a member of another form, or one too many", parsed.error);
  const statement = parsed.data;
  if (statement.machines !== "all" && statement.machines.length === 0) throw form.fail("it names no machine");
  if (statement.action === "revoke" && (statement.expires !== null || statement.target === null))
    throw form.fail("revoke names a target and does not expire");
  if (statement.action !== "revoke" && statement.expires === null) throw form.fail(`${statement.action} has to expire`);
  if (statement.expires !== null && statement.issued >= statement.expires) throw form.fail("it expires before it is issued");
  return statement;
}

/** The statement if a principal that trust.actions names for this action signed it and it is in force; whom it concerns is for the caller to
 *  compare. Throws STATEMENT_MALFORMED, STATEMENT_EXPIRED, STATEMENT_UNPROVEN. Pure. */
export function verifyStatement(item: SignedStatement, context: StatementContext): VerifiedStatement {
  const form = formOf("STATEMENT_MALFORMED", "a signed statement");
  const bytes = form.bytes(item.bytes);
  const statement = parseStatement(bytes);
  if (statement.fleet !== context.fleet) throw form.fail("it is for another fleet");
  const signed = principalsOf(context.trust, signersOf(bytes, item.sigs, ACTION_NAMESPACE), context.serial, false);
  const rules = context.trust.actions.filter((rule) => rule.actions.includes(statement.action));
  const named = rules
    .map((rule) => ({ rule, by: rule.principals.filter((principal) => signed.has(principal)) }))
    .filter(({ by }) => by.length > 0);
  if (named.length === 0) throw unproven(statement, "no principal named for this action signed it");
  checkTimes(statement, context.now);
  const fitting = named.filter(({ rule }) => isShortEnough(statement, rule.maxSeconds));
  if (fitting.length === 0) throw unproven(statement, "it lasts longer than its signers may ask for");
  return { statement, digest: digestOf(bytes), signers: [...new Set(fitting.flatMap(({ by }) => by))] };
}

/** A statement issued later than now would outlive its longest duration, so only clock skew is allowed for. */
function checkTimes(statement: Statement, now: Time): void {
  if (statement.expires === null) return;
  if (now >= statement.expires) throw new MooringError("STATEMENT_EXPIRED", `${statement.action} expired at ${statement.expires}`);
  if (msOf(statement.issued) > msOf(now) + CLOCK_SKEW_MS) throw unproven(statement, "it is issued in the future");
}

function isShortEnough(statement: Statement, maxSeconds: number | null): boolean {
  if (statement.expires === null || maxSeconds === null) return true;
  return msOf(statement.expires) - msOf(statement.issued) <= maxSeconds * 1000;
}

function unproven(statement: Statement, why: string): MooringError {
  return new MooringError("STATEMENT_UNPROVEN", `statement ${statement.action}`, { why });
}
