import { canon, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { msOf, type Time, timeOf } from "#base/time/index.ts";
import { ACTION_NAMESPACE, composeStatement, isCovered, type KnownRelease, type Trust, verifyStatement } from "#proof/release/index.ts";
import { guardPrune } from "#reconciler/desired/index.ts";
import { trustOf } from "#reconciler/revision/index.ts";
import { statementFolder } from "#reconciler/source/index.ts";
import type { Bytes64, FleetId } from "#schemas/wire/index.ts";
import { demandOutcome, type Deps, type Fleet, openFleet, type ReadOutcome, type SourceOptions } from "./fleet/open.ts";
import type { Io } from "./io.ts";
import { pushSigned } from "./release/push.ts";
import { confirm } from "./release/sign.ts";
import { standingOf } from "./release/standing.ts";
import { checkNamed } from "./revoke.ts";
import { type SignerOptions, signerOf } from "./sign/index.ts";
import { findingText } from "./validate.ts";

export type PruneOptions = SourceOptions & SignerOptions & { readonly reason: string; readonly forMs: number; readonly yes: boolean };

/** `mooring prune confirm`: shows what main takes away beyond what runs allows, and has one person who is named for it say that it was meant. The hub goes
 *  on at its next look; the statement is good for a short time only. Exit code 0, also where nothing waits for it. */
export async function pruneConfirm(options: PruneOptions, io: Io, deps: Deps): Promise<number> {
  const fleet = await openFleet(options);
  const main = await demandOutcome(fleet, fleet.main);
  const name = main.resolved.fleet;
  const standing = await standingOf(fleet, await fleet.branchFor(name), main);
  const [newest] = standing.trusts;
  const before = await releasedBefore(fleet, standing.complete, main);
  if (before === null || newest === undefined)
    throw new MooringError("RELEASE_MISSING", "nothing else was released before main, so nothing can go");
  const waits = guardPrune(before.outcome, main).filter(({ level }) => level === "error");
  const emptied = waits.find(({ code }) => code === "FLEET_EMPTIED");
  if (emptied !== undefined) throw new MooringError("FLEET_EMPTIED", emptied.message);
  if (waits.length === 0) {
    io.out.write(`main ${fleet.main.slice(0, 8)}: nothing waits for a confirmation\n`);
    return 0;
  }
  for (const item of waits) io.out.write(findingText(item));
  const trust = trustOf(before.outcome.resolved); // that of what runs judges it, on the hub too
  checkNamed(options.as, trust, "prune");
  const signer = await signerOf(options, [trust.section], newest.serial);
  await confirm(io, options.yes, `Confirm as ${signer.principal}?`);
  const bytes = statementOf(name, options, trust, timeOf(deps.clock()));
  const armored = await signer.sign(bytes, ACTION_NAMESPACE);
  const now = timeOf(deps.clock());
  const signed = { bytes: toBase64(bytes) as Bytes64, sigs: [armored] };
  const { statement } = verifyStatement(signed, { fleet: name, now, trust: trust.section, serial: newest.serial });
  const folder = statementFolder(bytes);
  await pushSigned(
    options,
    new Map([[`${folder}/action.json`, bytes]]),
    [{ folder, armored }],
    options.as,
    `prune: confirmed by ${options.as}`,
    deps,
  );
  io.out.write(`confirmed until ${statement.expires ?? ""}; on mooring/releases as ${folder}\n`);
  return 0;
}

const MAX_COMMITS = 64;

/** What the hub runs while it holds main back: the newest commit before main that is released and asks for something else. */
async function releasedBefore(
  fleet: Fleet,
  complete: readonly KnownRelease[],
  main: ReadOutcome,
): Promise<{ readonly outcome: ReadOutcome } | null> {
  for (const revision of (await fleet.source.history(fleet.main, null, MAX_COMMITS)).slice(1)) {
    const outcome = await fleet.reader.read(revision);
    if (outcome.at !== "read" || isCoveredAs(outcome, main)) continue;
    if (complete.some(({ release }) => isCovered(release.doc, outcome.roots.classes, outcome.resolved.trustLeaf))) return { outcome };
  }
  return null;
}

function isCoveredAs({ roots }: ReadOutcome, main: ReadOutcome): boolean {
  return canon(roots.classes) === canon(main.roots.classes);
}

function statementOf(fleet: string, { as, reason, forMs }: PruneOptions, { section }: Trust, now: Time): Uint8Array {
  const rules = section.actions.filter((rule) => rule.actions.includes("prune") && rule.principals.includes(as));
  const longest = Math.max(...rules.map(({ maxSeconds }) => (maxSeconds === null ? Number.MAX_SAFE_INTEGER : maxSeconds * 1000)));
  return composeStatement({
    t: "mooring/action/v1",
    fleet: fleet as FleetId,
    action: "prune",
    target: null,
    machines: "all",
    reason,
    issued: now,
    expires: timeOf(msOf(now) + Math.min(forMs, longest)),
  });
}
