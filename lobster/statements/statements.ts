import { type Digest, digestBytes, fromBase64, digestOf } from "#base/canonical/index.ts";
import { makeFolder, readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { parseStatement, verifyStatement } from "#proof/release/index.ts";
import { digest, type Pins, signedStatement, type SignedStatement, type Statement, type TrustSection } from "#schemas/wire/index.ts";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";

export type Revoked = { readonly secrets: readonly string[]; readonly plugins: readonly string[]; readonly machine: boolean };

/** Against what a statement is judged: the accepted trust and serial, and the machine's time floor. */
export type Judge = { readonly now: Time; readonly trust: TrustSection; readonly serial: number };

/** What a release says of revocations: statements it ends, and what its own `revoked` section takes away. */
export type ReleaseWord = { readonly lifts: readonly Digest[]; readonly revoked: readonly Named[] };
type Named = { readonly kind: "secret" | "plugin" | "machine" | "signer"; readonly name: string };

/** Signed revocations in force here. They only narrow, are obeyed at once and end only by a release that names them. */
export type StatementBook = {
  readonly revoked: () => Revoked;
  readonly isPluginRevoked: (name: string) => boolean;
  /** Verifies, stores durably, then answers; a known one is accepted again without effect. Throws what `verifyStatement` throws, NOT_YET for any
   *  action but revoke of a secret, plugin or machine, STATEMENT_ELSEWHERE when it is for other machines, STATEMENT_LIFTED when a release ended it. */
  readonly take: (
    item: SignedStatement,
    judge: Judge,
  ) => Promise<{ readonly digest: Digest; readonly statement: Statement; readonly isNew: boolean }>;
  /** Takes over what the accepted release says; durable when it resolves. */
  readonly follow: (release: ReleaseWord) => Promise<void>;
};

/** Opens the book in `folder`: one file a statement, and the list of lifted ones. What is in it was verified when it came. */
export async function openStatementBook(folder: string, pins: Pins): Promise<StatementBook> {
  await makeFolder(folder);
  const liftedPath = join(folder, "lifted.json");
  const liftedBytes = await readIfThere(liftedPath);
  const lifted = new Set<Digest>(liftedBytes === null ? [] : z.parse(z.array(digest), JSON.parse(decode(liftedBytes))));
  const inForce = new Map<Digest, Statement>();
  for (const name of await readdir(folder)) {
    if (!/^[0-9a-f]{64}\.json$/.test(name)) continue;
    const item = z.parse(signedStatement, JSON.parse(decode((await readIfThere(join(folder, name))) ?? new Uint8Array())));
    const bytes = fromBase64(item.bytes, name);
    if (!lifted.has(digestOf(bytes))) inForce.set(digestOf(bytes), parseStatement(bytes));
  }
  let released: readonly Named[] = [];
  const stated = (): readonly Named[] => [...inForce.values()].flatMap(({ target }) => target ?? []);
  const revoked = (): Revoked => revokedBy([...stated(), ...released], pins.machine);
  return {
    revoked,
    isPluginRevoked: (name) => revoked().machine || revoked().plugins.includes(name),
    take: async (item, judge) => {
      const { statement, digest } = verifyStatement(item, { fleet: pins.fleet, ...judge });
      checkAction(statement);
      if (statement.machines !== "all" && !statement.machines.includes(pins.machine))
        throw new MooringError("STATEMENT_ELSEWHERE", "the statement is for other machines");
      if (lifted.has(digest)) throw new MooringError("STATEMENT_LIFTED", "a release has ended this statement");
      if (inForce.has(digest)) return { digest, statement, isNew: false };
      await writeDurable(join(folder, `${Buffer.from(digestBytes(digest)).toString("hex")}.json`), JSON.stringify(item));
      inForce.set(digest, statement);
      return { digest, statement, isNew: true };
    },
    follow: async (release) => {
      released = release.revoked;
      const fresh = release.lifts.filter((each) => !lifted.has(each));
      if (fresh.length === 0) return;
      await writeDurable(liftedPath, JSON.stringify([...lifted, ...fresh]));
      for (const each of fresh) {
        lifted.add(each);
        inForce.delete(each);
      }
    },
  };
}

/** What is taken away on `machine`. Secrets are named as `secret://team/name`. Pure. */
export function revokedBy(targets: readonly Named[], machine: string): Revoked {
  const named = (kind: "secret" | "plugin"): readonly string[] => targets.flatMap((each) => (each.kind === kind ? [each.name] : []));
  return {
    secrets: named("secret"),
    plugins: named("plugin"),
    machine: targets.some(({ kind, name }) => kind === "machine" && name === machine),
  };
}

function checkAction({ action, target }: Statement): void {
  if (action !== "revoke") throw new MooringError("NOT_YET", `statement ${action} on a machine`);
  if (target?.kind === "signer")
    throw new MooringError("NOT_YET", "revoke of a signer on a machine", { fix: "make a release whose trust section drops the key" });
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
