import { MooringError } from "#base/errors/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { timeOf } from "#base/time/index.ts";
import {
  countRole,
  judgeSecrets,
  principalsOf,
  proverOf,
  roleOfClass,
  type SignedSecrets,
  type Trust,
  verifyStatement,
} from "#proof/release/index.ts";
import { RELEASE_CLASSES } from "#proof/root/index.ts";
import { type Branch, nextSerial, trustOf } from "#reconciler/revision/index.ts";
import type { TrustSection } from "#schemas/wire/index.ts";
import type { Fleet, ReadOutcome } from "../fleet/open.ts";
import type { Standing } from "./standing.ts";

/** Whom to distrust, and from when on: a serial, or a day that becomes the first serial issued on it. Null = from the next release on. */
export type Distrust = { readonly principal: string; readonly since: { readonly serial: number } | { readonly day: string } | null };

type At = { readonly standing: Standing; readonly branch: Branch };

/** What only this principal signed since then, and what others have to attest again. Throws SIGNER_UNKNOWN for somebody nobody trusted, SIGNER_STILL_TRUSTED
 *  with the lines to change while main's own trust section goes on counting them. */
export async function distrustText(fleet: Fleet, outcome: ReadOutcome, { principal, since }: Distrust, at: At): Promise<string> {
  const known = at.standing.trusts.filter(({ trust }) => (trust.section.keys[principal] ?? []).length > 0);
  if (known.length === 0)
    throw new MooringError("SIGNER_UNKNOWN", `nobody was ever called ${principal} in a trust section`, {
      fix: "name them as trust/allowed_signers did",
    });
  const next = nextSerial(at.standing);
  const from = since === null ? next : "serial" in since ? since.serial : serialOn(since.day, at.standing, next);
  await checkGone(fleet, outcome, principal, from);
  const rows = [...releasesOf(principal, from, at), ...secretsOf(principal, from, at), ...statementsOf(principal, outcome, at)];
  const only = rows.length === 0 ? "  nothing\n" : rows.map((row) => `  ${row}\n`).join("");
  return `what only ${principal} signed since release ${from}:\n${only}${againText(principal, trustOf(outcome.resolved), at)}\n`;
}

function serialOn(day: string, { complete }: Standing, next: number): number {
  const later = complete.filter(({ release }) => release.doc.issued >= timeOf(Date.parse(`${day}T00:00:00Z`)));
  return Math.min(next, ...later.map(({ release }) => release.doc.serial));
}

/** Every key of theirs is dropped, or ends before `from`. */
async function checkGone(fleet: Fleet, outcome: ReadOutcome, principal: string, from: number): Promise<void> {
  const { section } = trustOf(outcome.resolved);
  const left = (section.keys[principal] ?? []).filter(({ until }) => until === null || until >= from);
  if (left.length === 0) return;
  const path = outcome.repo.fleet.doc.spec.trust.commits.allowedSigners;
  const lines = await linesOf(
    fleet,
    outcome,
    path,
    left.map(({ key }) => key),
  );
  const end = from > 1 ? ` or, for somebody who left in peace, end the line with mooring:until=${from - 1};` : "";
  throw new MooringError("SIGNER_STILL_TRUSTED", `${lines}: ${principal} counts from release ${from} on`, {
    why: "a release distrusts whom its own trust section leaves out",
    fix: `remove the line (times and serials can be back-dated with a stolen key);${end} take them out of spec.trust in fleet.yaml, merge it, then run this again`,
  });
}

async function linesOf(fleet: Fleet, outcome: ReadOutcome, path: string, keys: readonly string[]): Promise<string> {
  const file = outcome.tree.get(path);
  if (file === undefined) return path;
  const lines = Buffer.from(await fleet.source.readBlob(file.oid))
    .toString("utf8")
    .split("\n");
  const found = lines.flatMap((line, i) => (keys.some((key) => line.includes(key.split(" ")[1] ?? key)) ? [i + 1] : []));
  return found.length === 0 ? path : `${path}:${found.join(",")}`;
}

/** Complete releases some role of which is not reached without them. */
function releasesOf(principal: string, from: number, { standing }: At): readonly string[] {
  return standing.complete.flatMap((item, i) => {
    const { doc } = item.release;
    const trust = standing.trusts[i]?.trust;
    if (doc.serial < from || trust === undefined) return [];
    const roles = (["root", "release", "access"] as const).filter((role) => isOnly(principal, trust.section, role, item, doc.serial));
    const note = item === standing.inForce?.release ? ", in force" : "";
    return roles.length === 0 ? [] : [`release ${doc.serial}  ${doc.issued.slice(0, 10)}  ${roles.join(", ")}${note}`];
  });
}

function secretsOf(principal: string, from: number, { standing, branch }: At): readonly string[] {
  const [first] = standing.complete.filter(({ release }) => release.doc.serial >= from).slice(-1);
  return branch.secrets.flatMap((item) => {
    const at = standing.trusts.find(({ trust, serial }) => judgeSecrets(item, trust, serial) === null);
    if (at === undefined || !isOnlySecrets(principal, at.trust, at.serial, item)) return [];
    const isOld = first === undefined || item.doc.issued < first.release.doc.issued;
    return isOld ? [] : [`secrets release ${item.doc.serial}  ${item.doc.issued.slice(0, 10)}  secrets`];
  });
}

function isOnlySecrets(principal: string, trust: Trust, serial: number, item: SignedSecrets): boolean {
  return isOnly(principal, trust.section, "secrets", { release: item }, serial);
}

type Countable = { readonly release: Parameters<typeof countRole>[2] };

function isOnly(
  principal: string,
  trust: TrustSection,
  role: Parameters<typeof countRole>[1],
  { release }: Countable,
  serial: number,
): boolean {
  const { have, need } = countRole(trust, role, release, serial);
  return have.includes(principal) && have.length === need;
}

/** Statements are judged by the trust of whoever meets them, so all of theirs are listed. */
function statementsOf(principal: string, outcome: ReadOutcome, { standing, branch }: At): readonly string[] {
  return branch.statements.flatMap((item) => {
    for (const { trust, serial } of standing.trusts) {
      if (!isNamed(trust, principal)) continue;
      try {
        const context = { fleet: outcome.resolved.fleet, now: timeOf(0), trust: trust.section, serial };
        const { statement, signers, digest } = verifyStatement(item, context);
        if (signers.length !== 1 || signers[0] !== principal) return [];
        const target = statement.target === null ? "" : ` ${statement.target.kind} ${statement.target.name}`;
        return [`statement ${digest.slice(7, 15)}  ${statement.issued.slice(0, 10)}  ${statement.action}${target}`];
      } catch (err) {
        if (!hasCode(err, "STATEMENT_UNPROVEN") && !hasCode(err, "STATEMENT_MALFORMED")) throw err;
      }
    }
    return [];
  });
}

function isNamed({ section }: Trust, principal: string): boolean {
  return section.actions.some(({ principals }) => principals.includes(principal));
}

/** Whose word stands in for theirs, class by class of what is in force. */
function againText(principal: string, trust: Trust, { standing, branch }: At): string {
  const { inForce } = standing;
  if (inForce === null) return "";
  const before = trustOf(inForce.outcome.resolved);
  const known = branch.releases.map(({ release }) => release);
  const { release } = inForce.release;
  const rows = RELEASE_CLASSES.flatMap((name) => {
    if (release.doc.classes[name].size === 0) return [];
    const role = roleOfClass(name);
    const prover = proverOf(name, release, known, before);
    if (prover === null || !principalsOf(before.section, prover.signers(), prover.doc.serial, false).has(principal)) return [];
    if (proverOf(name, release, known, trust) !== null) return [];
    const { principals, threshold } = trust.section.roles[role];
    return [`  ${name.padEnd(8)}  rested on release ${prover.doc.serial}; now ${threshold} of ${principals.join(", ")}\n`];
  });
  return rows.length === 0 ? "" : `to be attested again, by this release:\n${rows.join("")}`;
}
