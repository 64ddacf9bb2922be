import { MooringError } from "#base/errors/index.ts";
import { type Time, timeOf } from "#base/time/index.ts";
import { countRole, isCovered, type KnownRelease, principalsOf } from "#proof/release/index.ts";
import { type Branch, isWithdrawable, trustOf } from "#reconciler/revision/index.ts";
import { releaseFolder } from "#reconciler/source/index.ts";
import { demandOutcome, type Deps, type Fleet, mainOr, openFleet, type SourceOptions } from "../fleet/open.ts";
import { findRevision } from "../fleet/revision.ts";
import type { Io } from "../io.ts";
import { mergedOutcome } from "./approve.ts";
import { signOutcome, type SignOptions } from "./sign.ts";
import { type Standing, standingOf } from "./standing.ts";

/** `mooring approve --withdraw`: takes approvals of a release back before it is merged. It signs what is in force once more, under a serial above, and
 *  with `access` asked for anew where that release had its approval: then no machine takes the release any more, nor its approvals on a later one. `revision`
 *  is what was approved, or `release/<serial>`. Throws WITHDRAW_UNKNOWN, WITHDRAW_TOO_LATE. */
export async function withdraw(options: SourceOptions & SignOptions & { readonly revision: string }, io: Io, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  const main = await demandOutcome(fleet, fleet.main);
  const branch = await fleet.branchFor(main.resolved.fleet);
  const standing = await standingOf(fleet, branch, await mainOr(fleet, main));
  const { inForce } = standing;
  if (inForce === null)
    throw new MooringError("WITHDRAW_UNKNOWN", `approve --withdraw ${options.revision}`, {
      why: "nothing is in force yet that could be signed instead",
      fix: "make the first release of something else: the approval counts for no other outcome",
    });
  const burns = await wanted(fleet, options.revision, standing, branch);
  const now = timeOf(deps.clock());
  const how = { ...options, lifts: [], renew: false, resolver: undefined };
  const what = "what is in force";
  return signOutcome(fleet, inForce.outcome, what, how, io, deps, async (at) => ({ text: textOf(burns, at.standing, now), burns }));
}

async function wanted(fleet: Fleet, text: string, standing: Standing, branch: Branch): Promise<KnownRelease> {
  const [, serial, digest8] = /^release\/([1-9]\d{0,15})(?:-([0-9a-f]{8}))?$/.exec(text) ?? [];
  const found =
    serial === undefined
      ? await approvalsOf(fleet, text, branch)
      : branch.releases.filter(
          ({ release }) =>
            release.doc.serial === Number(serial) && (digest8 === undefined || release.digest.startsWith(`sha256:${digest8}`)),
        );
  const signed = found.filter((item) => signersOf(item, standing).size > 0);
  const above = standing.inForce?.release.release.doc.serial ?? 0;
  const open = signed.filter((item) => isWithdrawable(item, standing));
  const [first] = open;
  if (open.length === 1 && first !== undefined) return first;
  if (open.length === 0 && signed.some(({ release }) => release.doc.serial <= above))
    throw new MooringError("WITHDRAW_TOO_LATE", `release ${signed[0]?.release.doc.serial}`, {
      why: `machines have release ${above} already`,
    });
  const others = branch.releases.filter((item) => isWithdrawable(item, standing) && signersOf(item, standing).size > 0);
  const names = others.map((item) => nameOf(item, standing)).join("; ");
  throw new MooringError("WITHDRAW_UNKNOWN", `approve --withdraw ${text}`, {
    why:
      open.length > 1
        ? `several releases are meant: ${open.map((item) => nameOf(item, standing)).join("; ")}`
        : `no signed release that machines do not have is for it${names === "" ? "" : `; there are ${names}`}`,
  });
}

/** Releases for the merge of a revision as it is today. */
async function approvalsOf(fleet: Fleet, text: string, branch: Branch): Promise<readonly KnownRelease[]> {
  const { oid, name } = await findRevision(fleet, text);
  const { roots, resolved } = await mergedOutcome(fleet, oid, name);
  return branch.releases.filter(({ release }) => isCovered(release.doc, roots.classes, resolved.trustLeaf));
}

function signersOf({ release }: KnownRelease, { trusts }: Standing): ReadonlySet<string> {
  const trust = trusts[0]?.trust;
  return trust === undefined ? new Set() : principalsOf(trust.section, release.signers(), release.doc.serial, false);
}

function nameOf(item: KnownRelease, standing: Standing): string {
  const { doc, bytes } = item.release;
  return `release/${releaseFolder("release", doc.serial, bytes)} (signed by ${[...signersOf(item, standing)].join(", ")})`;
}

function textOf(burns: KnownRelease, standing: Standing, now: Time): string {
  const { serial, issued } = burns.release.doc;
  const trust = standing.inForce === null ? null : trustOf(standing.inForce.outcome.resolved);
  const roles =
    trust === null
      ? []
      : (["root", "release", "access"] as const).flatMap((role) => {
          const { have } = countRole(trust.section, role, burns.release, serial);
          return have.length === 0 ? [] : [`  ${role.padEnd(7)}  ${have.join(", ")}\n`];
        });
  const until = now < burns.release.doc.expires ? "until this is complete, others can still complete it\n" : "";
  return `takes back release ${serial} of ${issued.slice(0, 10)}, signed by\n${roles.join("")}${until}\n`;
}
