import { type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { type VerifiedStatement, verifyStatement } from "#proof/release/index.ts";
import type { SignedStatement } from "#schemas/wire/index.ts";
import type { FleetTarget } from "../machine/index.ts";
import { trustOf } from "../revision/index.ts";

/** Operator statements the hub carries: verified here so that garbage is told from a revocation, verified again by vault and machines, which count. */
export type StatementBook = {
  /** A statement from the API or the branch; throws STATEMENT_ codes. Null when a release has lifted it. */
  take(
    signed: SignedStatement,
    target: FleetTarget,
    now: Time,
  ): (VerifiedStatement & { readonly signed: SignedStatement; readonly isNew: boolean }) | null;
  readonly all: () => ReadonlyMap<Digest, SignedStatement>;
};

export function makeStatementBook(): StatementBook {
  const book = new Map<Digest, SignedStatement>();
  return {
    take(signed, target, now) {
      const digest = digestOf(Buffer.from(signed.bytes, "base64"));
      if (isLifted(digest, target)) {
        book.delete(digest);
        return null;
      }
      const trust = trustOf(target.resolved).section;
      const verified = verifyStatement(signed, { fleet: target.resolved.fleet, now, trust, serial: target.head.release.doc.serial });
      if (verified.statement.action !== "revoke") throw new MooringError("NOT_YET", `action ${verified.statement.action}`);
      const isNew = !book.has(digest);
      book.set(digest, signed);
      return { ...verified, signed, isNew };
    },
    all: () => book,
  };
}

/** A statement ends with a release that names it; later releases go on naming it. */
function isLifted(digest: Digest, target: FleetTarget): boolean {
  return target.head.release.doc.lifts.includes(digest);
}
