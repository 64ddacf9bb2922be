import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { readRelease, type SignedRelease } from "./signed.ts";
import { parseTrust, type Trust } from "./trust.ts";
import { stepFault, type TrustStep } from "./walk.ts";

/** A release as the branch holds it: bytes, signatures, and the trust section it names where that is kept beside it. */
export type ReleaseItem = { readonly bytes: Uint8Array; readonly sigs: readonly string[]; readonly trust?: Uint8Array };

/** A readable release of the branch; signatures are checked once, when first needed. `trust` is null where the section is not at hand. */
export type KnownRelease = { readonly release: SignedRelease; readonly trust: Trust | null };

/** One item of the branch; throws RELEASE_MALFORMED or TRUST_MALFORMED. A section that is not the one the release names counts as missing. */
export function readKnown(item: ReleaseItem, fleet: string): KnownRelease {
  const release = readRelease(item.bytes, item.sigs, fleet);
  const trust = item.trust === undefined ? null : parseTrust(item.trust);
  return { release, trust: trust?.leaf === release.doc.trust ? trust : null };
}

/** The readable items of the branch. Anybody may push to it, so what cannot be read is left out, never an error. */
export function readBranch(items: readonly ReleaseItem[], fleet: string): readonly KnownRelease[] {
  return items.flatMap((item) => {
    try {
      return [readKnown(item, fleet)];
    } catch (err) {
      if (err instanceof MooringError) return [];
      throw err;
    }
  });
}

/** What a verifier stands on, as the hub knows it: the leaf and serial it accepted, or the leaf it is pinned to. */
export type Holds = { readonly trust: Digest; readonly serial: number } | { readonly pin: Digest };

/** What was reached on the way to `target`; `chain` is null when no chain of signed trust releases leads there. */
export type TrustSearch = { readonly chain: readonly TrustStep[] | null; readonly last: Trust | null };

/** A trust section with the lowest serial that reaches it, and how. */
type Reached = { readonly trust: Trust; readonly serial: number; readonly path: readonly TrustStep[] };

/** The chain of trust releases a verifier needs from `holds` to the trust of `head`, empty when it needs none. Releases are taken by growing
 *  serial; for each trust section the lowest serial that reaches it is kept, since whatever follows a later one follows it too. */
export function findTrustChain(
  holds: Holds,
  head: KnownRelease,
  releases: readonly KnownRelease[],
  extra: readonly Trust[] = [],
): TrustSearch {
  const { doc } = head.release;
  const startLeaf = "pin" in holds ? holds.pin : holds.trust;
  const start = sectionOf(startLeaf, releases, head.trust === null ? extra : [...extra, head.trust]);
  if (startLeaf === doc.trust) return { chain: [], last: start };
  const reached = reachedFrom(holds, start, releases).filter(({ serial, path }) => serial < doc.serial || path.length === 0);
  const before = reached.find(({ trust }) => trust.leaf === doc.trust);
  if (before !== undefined) return { chain: before.path, last: before.trust };
  const last = reached.at(-1)?.trust ?? start;
  if (head.trust === null) return { chain: null, last };
  const step = { release: head.release, trust: head.trust };
  const path = bestBefore(step, reached);
  return { chain: path === null ? null : [...path, step], last };
}

/** The trust section with that leaf, if any release carries it. */
export function sectionOf(leaf: Digest, releases: readonly KnownRelease[], extra: readonly Trust[] = []): Trust | null {
  return extra.find((trust) => trust.leaf === leaf) ?? factsOf(releases).sections.get(leaf) ?? null;
}

/** All that `holds` leads to among these releases. Found once: a branch may hold ten thousand, and each is asked about. */
function reachedFrom(holds: Holds, start: Trust | null, releases: readonly KnownRelease[]): readonly Reached[] {
  const facts = factsOf(releases);
  const id = "pin" in holds ? holds.pin : `${holds.trust} ${holds.serial} ${start !== null}`;
  const known = facts.reached.get(id);
  if (known !== undefined) return known;
  const reached = new Map<Digest, Reached>();
  if (!("pin" in holds) && start !== null) reached.set(holds.trust, { trust: start, serial: holds.serial, path: [] });
  for (const step of facts.steps) {
    const leaf = step.release.doc.trust;
    if (reached.has(leaf)) continue;
    const from = "pin" in holds && leaf === holds.pin ? firstStep(step) : bestBefore(step, [...reached.values()]);
    if (from === null) continue;
    reached.set(leaf, { trust: step.trust, serial: step.release.doc.serial, path: [...from, step] });
  }
  const all = [...reached.values()];
  facts.reached.set(id, all);
  return all;
}

/** What many questions about the same releases have in common. */
type Facts = {
  readonly count: number;
  readonly newest: KnownRelease | undefined;
  readonly signed: readonly SignedRelease[];
  readonly sections: ReadonlyMap<Digest, Trust>;
  /** By growing serial. */
  readonly steps: readonly TrustStep[];
  readonly reached: Map<string, readonly Reached[]>;
};

const facts = new WeakMap<readonly KnownRelease[], Facts>();

/** Made once for a list, and again when it has grown. */
export function factsOf(releases: readonly KnownRelease[]): Facts {
  const known = facts.get(releases);
  if (known?.count === releases.length && known.newest === releases.at(-1)) return known;
  const steps = releases.flatMap(({ release, trust }) => (trust === null ? [] : [{ release, trust }]));
  const fresh: Facts = {
    count: releases.length,
    newest: releases.at(-1),
    signed: releases.map(({ release }) => release),
    sections: new Map(steps.toReversed().map(({ trust }) => [trust.leaf, trust])),
    steps: steps.toSorted((a, b) => a.release.doc.serial - b.release.doc.serial),
    reached: new Map(),
  };
  facts.set(releases, fresh);
  return fresh;
}

function firstStep(step: TrustStep): readonly TrustStep[] | null {
  return stepFault(null, step) === null ? [] : null;
}

function bestBefore(step: TrustStep, reached: readonly Reached[]): readonly TrustStep[] | null {
  const fits = reached.filter((from) => from.serial < step.release.doc.serial && stepFault(from.trust, step) === null);
  return fits.sort((a, b) => a.path.length - b.path.length)[0]?.path ?? null;
}
