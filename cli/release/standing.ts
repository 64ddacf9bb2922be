import { type Digest, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { isCovered, type KnownRelease, type Trust } from "#proof/release/index.ts";
import { type Branch, completeOf, heldSecrets, trustOf } from "#reconciler/revision/index.ts";
import type { Oid } from "#reconciler/source/index.ts";
import type { Bytes64 } from "#schemas/wire/index.ts";
import type { Fleet, ReadOutcome } from "../fleet/open.ts";

/** What is released. `complete` = releases the right people signed, newest serial first; nothing else on the branch counts, since anybody may
 *  push there. `inForce` = the one that machines have: the newest that covers a commit of main, with that commit. */
export type Standing = {
  /** The trust root everything is judged from. */
  readonly holds: { readonly pin: Digest };
  readonly complete: readonly KnownRelease[];
  readonly inForce: { readonly release: KnownRelease; readonly commit: Oid; readonly outcome: ReadOutcome } | null;
  /** The trust section of each complete release, newest first, with the release's serial. */
  readonly trusts: readonly { readonly trust: Trust; readonly serial: number }[];
};

const MAX_COMMITS = 64;

/** Where the fleet stands, judged from the pinned trust root. Remembers root and newest serial. Throws TRUST_ROOT_NEEDED when releases exist and nobody
 *  told this machine whom to believe, TRUST_ROOT_UNPROVEN, REPO_ROLLED_BACK. */
export async function standingOf(fleet: Fleet, branch: Branch, main: ReadOutcome): Promise<Standing> {
  const pin = pinOf(fleet, branch, main);
  const own = trustOf(main.resolved);
  const holds = { pin };
  const { complete, trusts } = completeOf(branch, holds, own);
  if (complete.length === 0 && pin !== own.leaf)
    throw new MooringError("TRUST_ROOT_UNPROVEN", `trust root ${pin}`, { why: "no complete release leads from it to anything" });
  const newest = complete[0]?.release.doc.serial ?? 0;
  const seen = fleet.remembered?.trustRoot === pin ? fleet.remembered.serial : 0;
  if (newest < seen)
    throw new MooringError("REPO_ROLLED_BACK", "branch mooring/releases", {
      why: `release ${seen} was there, now the newest is ${newest}`,
    });
  const standing = { holds, complete, inForce: await inForceOf(fleet, branch, complete), trusts };
  if (newest > 0) await remember(fleet, standing, pin, main.resolved.fleet);
  return standing;
}

/** For a look without a trust root: main's own word on whom to believe. Enough to plan, never to sign. */
export async function claimedStanding(fleet: Fleet, branch: Branch, main: ReadOutcome): Promise<Standing> {
  const own = trustOf(main.resolved);
  const holds = { pin: own.leaf };
  const { complete, trusts } = completeOf(branch, holds, own);
  return { holds, complete, inForce: await inForceOf(fleet, branch, complete), trusts };
}

function pinOf({ options, remembered }: Fleet, branch: Branch, main: ReadOutcome): Digest {
  const pin = options.trustRoot ?? remembered?.trustRoot;
  if (pin !== undefined) return pin;
  if (branch.releases.length === 0) return main.resolved.trustLeaf; // the first release: its signers read the trust section they sign
  throw new MooringError("TRUST_ROOT_NEEDED", "this fleet has releases, and this machine was never told whom to believe", {
    why: "whoever can push could show releases of their own",
  });
}

/** Of the commits reachable from main that a complete release covers and whose secrets are signed, the one with the newest release, then the newest
 *  secrets release, then the newest commit. A commit that is back to an older outcome does not bring older releases back, as on the hub. */
async function inForceOf(fleet: Fleet, branch: Branch, complete: readonly KnownRelease[]): Promise<Standing["inForce"]> {
  const [newest] = complete;
  if (newest === undefined) return null;
  let best: { readonly found: NonNullable<Standing["inForce"]>; readonly secrets: number } | null = null;
  for (const commit of await commitsOf(fleet)) {
    const outcome = await fleet.reader.read(commit);
    if (outcome.at !== "read") continue;
    const release = complete.find((item) => isCovered(item.release.doc, outcome.roots.classes, outcome.resolved.trustLeaf));
    if (release === undefined) continue;
    const { serial } = release.release.doc;
    const secrets = heldSecrets(outcome, branch, serial);
    if (secrets === 0 && outcome.roots.secrets.size > 0) continue; // nobody has signed them yet
    const before = best?.found.release.release.doc.serial ?? 0;
    if (serial > before || (serial === before && secrets > (best?.secrets ?? 0)) || best === null)
      best = { found: { release, commit, outcome }, secrets };
    if (release === newest && secrets === (branch.secrets[0]?.doc.serial ?? 0)) break; // nothing can be newer
  }
  return best?.found ?? null;
}

function commitsOf({ source, main }: Fleet): Promise<readonly Oid[]> {
  return source.withObjects(async (objects) => {
    const found = [main];
    for (let i = 0; i < found.length && found.length < MAX_COMMITS; i++)
      for (const parent of (await objects.commit(found[i]!)).parents) if (!found.includes(parent)) found.push(parent);
    return found;
  });
}

async function remember(fleet: Fleet, { complete, trusts }: Standing, pin: Digest, name: string): Promise<void> {
  const trust = trusts[0]?.trust;
  const verified = trust === undefined ? null : { fleet: name, trust: toBase64(trust.bytes) as Bytes64 };
  await fleet.memory.write({ v: 1, trustRoot: pin, serial: complete[0]?.release.doc.serial ?? 0, verified });
}
